import { beginReboot, lookAtMaintenance } from "../../maintenance";
import { HostKeyMismatch } from "../../remote/dial";
import { type Failure, reasonOf } from "../../remote/each";
import type { SshSession } from "../../remote/ssh";
import { whileWaiting } from "../../waiting";
import { defaultRebootSeconds } from "../../walk/args";
import { NotBack } from "../../walk";
import type { Fleet } from "../fleet";
import { swarmLock, type SwarmRequest } from "../request";
import { did, progress, sleep, waiting } from "../run";
import type { Ready } from "./engines";
import { lockHosts } from "./lock";

/** Between two dials, in milliseconds. */
const pause = 1_000;
/** For one dial, in seconds: a machine that is going down may answer no more. */
const dialSeconds = 15;

/**
 * Reboots a host, and waits until SSH stands to the machine after its restart, under the same host key. Its session and lock are made anew, and
 * those of hosts that are reached through it.
 *
 * @param text Counts as done then. @default - nothing does
 * @param all Hosts of this run.
 * @throws NotBack where it is not back within `maintenance.rebootSeconds`.
 */
export async function rebootHost(fleet: Fleet, request: SwarmRequest, host: Ready, text: string | undefined, all: readonly Ready[]): Promise<void> {
  const { key, session } = host;
  const seconds = request.maintenance?.rebootSeconds ?? defaultRebootSeconds;
  const began = Date.now();
  const before = await beginReboot(session, text);
  const until = Date.now() + seconds * 1000;
  const behind = all.filter((other) => isBehind(other, host));
  for (const each of [host, ...behind]) fleet.letGo(each.key);
  await whileWaiting({ waiting }, key, "it to be back after its reboot", seconds * 1000, async (seen) => {
    fleet.renew(host, await untilBack(fleet, host, before, seconds, until, seen));
    for (const other of behind) fleet.renew(other, await fleet.dial(other.key, other.host.connection, dialSeconds, true));
  });
  const failures: Failure[] = [];
  await lockHosts(fleet, [host, ...behind], swarmLock(request), failures);
  const [failure] = failures;
  if (failure) throw new Error(`it is back after its reboot, but ${failure.reason}`);
  progress(key, `rebooted, and SSH answers again after ${Math.round((Date.now() - began) / 1000)} s`);
  did(key, "reboot done");
}

/** A session to a machine that has restarted since. */
async function untilBack(
  fleet: Fleet,
  { key, host }: Ready,
  before: string,
  seconds: number,
  until: number,
  seen: (detail: string) => void,
): Promise<SshSession> {
  let last = "it has not gone down";
  while (Date.now() < until) {
    const session = await fleet.dial(key, host.connection, dialSeconds, true).catch((error: unknown) => {
      last = reasonOf(error);
      if (error instanceof Error && error.cause instanceof HostKeyMismatch) throw new NotBack(`rebooted, and is another machine since: ${last}`);
      return undefined;
    });
    const boot = session && (await lookAtMaintenance(session).then((look) => look.boot, reasonOf));
    if (session && boot !== undefined && isBoot(boot) && boot !== before) return session;
    session?.close();
    if (session) last = boot === before ? "it has not gone down" : (boot ?? "");
    seen(last);
    await sleep(pause);
  }
  throw new NotBack(`rebooted, and is not back after ${seconds} s (maintenance.rebootSeconds): ${last.replace(/\.$/, "")}`);
}

/** And not what was wrong with the look. */
function isBoot(text: string): boolean {
  return /^[0-9a-f-]+-\d+$/.test(text);
}

/** Whether a host is reached through another one. */
function isBehind({ host: { connection } }: Ready, { host }: Ready): boolean {
  const { bastion } = connection;
  return (
    bastion !== undefined &&
    (bastion.hostKey === host.connection.hostKey || [host.connection.host, host.address, host.publicAddress].includes(bastion.host))
  );
}
