import { admitKey, dismissKeys, type LoginKeys, loginKeys, lookAtKeys } from "../../login";
import type { Connection } from "../../remote/connection";
import type { Failure } from "../../remote/each";
import { fingerprintOf } from "../../remote/private-key";
import type { Fleet, ReachedHost } from "../fleet";
import { phase, progress } from "../run";

type Host = ReachedHost & { readonly host: { readonly connection: Connection } };

/** For a new connection to a host that answers. */
const dialSeconds = 30;

/**
 * Hosts that know another key than the program's get that one, which is proven by a connection of its own, and only then the former ones are
 * taken off. So at each moment somebody can log in, and a run that is cut off is finished by the next.
 */
export async function renewLogins(fleet: Fleet, hosts: readonly Host[], failures: Failure[], say: typeof progress = progress): Promise<void> {
  const changing = hosts.flatMap((host) => {
    const keys = loginKeys(host.host.connection);
    return keys ? [{ key: host.key, host, keys }] : [];
  });
  if (changing.length === 0) return;
  await phase("looking at the keys that log in to", "logged in to by the new key alone", changing, failures, ({ host, keys }) =>
    renew(fleet, host, keys, say),
  );
}

async function renew(fleet: Fleet, { key, session, host: { connection } }: Host, keys: LoginKeys, say: typeof progress): Promise<void> {
  const seen = await lookAtKeys(session, keys);
  if (session.formerKey === undefined && seen.former === 0) return;
  const { privateKey = "", passphrase, formerKeys = [], ...way } = connection;
  if (!seen.has) {
    say(key, `gets the key ${fingerprintOf(privateKey, passphrase)} for ${keys.user}, in ${seen.file}`);
    await admitKey(session, keys);
  }
  const alone = { ...way, privateKey, ...(passphrase !== undefined && { passphrase }) };
  (await fleet.dial(key, alone, dialSeconds, true)).close();
  const { file } = seen.former > 0 ? await dismissKeys(session, keys) : seen;
  const left: string[] = [];
  for (const former of formerKeys) if (await letsIn(fleet, key, { ...way, privateKey: former })) left.push(fingerprintOf(former) ?? "");
  if (left.length === 0) say(key, "is logged in to by the new key alone");
  else
    say(
      key,
      `warning: sshd still lets ${keys.user} in by ${left.join(" and ")}, which is not in ${file}: take it off where it is kept ` +
        "(AuthorizedKeysCommand, another AuthorizedKeysFile, a CA)",
    );
}

/** Whether a key still logs in. A host that cannot be asked has said nothing. */
function letsIn(fleet: Fleet, key: string, connection: Connection): Promise<boolean> {
  return fleet.dial(key, connection, dialSeconds).then(
    (session) => {
      session.close();
      return true;
    },
    () => false,
  );
}
