import { loadHostScript } from "../remote/script";
import { publicKeyOf } from "../remote/private-key";
import type { Connection } from "../remote/connection";
import type { SshSession } from "../remote/ssh";

const script = loadHostScript(__dirname, "login.sh");
const timeout = 60_000;

type Session = Pick<SshSession, "script">;

/** Whose keys, and which. */
export interface LoginKeys {
  readonly user: string;
  /** Type and key in authorized_keys form. */
  readonly own: string;
  /** Keys without their types. */
  readonly former: readonly string[];
}

/** What a host has of them. */
export interface SeenKeys {
  /** The file that has a former key, or would have the new one. */
  readonly file: string;
  /** Whether the new key is in a file that sshd reads. */
  readonly has: boolean;
  /** How many lines have a former key. */
  readonly former: number;
}

/** @returns undefined where no other key is given that was there before. */
export function loginKeys({ user = "root", privateKey, passphrase, formerKeys = [] }: Connection): LoginKeys | undefined {
  const own = privateKey === undefined ? undefined : publicKeyOf(privateKey, passphrase);
  if (own === undefined) return undefined;
  const former = formerKeys.flatMap((key) => publicKeyOf(key)?.split(" ")[1] ?? []).filter((key) => !own.endsWith(` ${key}`));
  return former.length === 0 ? undefined : { user, own, former };
}

export function lookAtKeys(session: Session, keys: LoginKeys): Promise<SeenKeys> {
  return run(session, "look", keys);
}

/** Puts the new key beside the former one, with the same options. Both log in afterwards. */
export function admitKey(session: Session, keys: LoginKeys): Promise<SeenKeys> {
  return run(session, "admit", keys);
}

/** Takes the former keys out of the user's files. @throws where the new one is in none. */
export function dismissKeys(session: Session, keys: LoginKeys): Promise<SeenKeys> {
  return run(session, "dismiss", keys);
}

function run(session: Session, verb: string, { user, own, former }: LoginKeys): Promise<SeenKeys> {
  return session.script<SeenKeys>(script, { USER: user, NEW: own, BEFORE: former.join("\n") }, { verb, timeout });
}
