import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { SshSession } from "../../components/remote/ssh";
import type { Sites } from "../../tools/lab/sites";

const file = "/etc/modprobe.d/without-wireguard.conf";

/** As a host whose kernel has no WireGuard: nothing loads the module. To be called before anything has. */
export async function hideModule(sites: Sites, name: string): Promise<void> {
  await sites.on(name, "sh", "-c", `echo 'install wireguard /bin/false' >${file}; ! grep -q '^wireguard ' /proc/modules`);
}

/** From the next boot on, or the next start of the tunnel. */
export async function bringModuleBack(sites: Sites, name: string): Promise<void> {
  await sites.on(name, "sh", "-c", `rm ${file}; sync`);
}

/** What serves the tunnel of a host: by its kind of interface, and by whether the program runs. */
export async function served(sites: Sites, name: string): Promise<"kernel" | "wireguard-go"> {
  const link = await sites.on(name, "ip", "-d", "link", "show", "swarm0");
  const daemons = await sites.on(name, "sh", "-c", "pgrep -xc wireguard-go || true");
  const kinds = ["wireguard", "tun"].filter((kind) => new RegExp(`^ +${kind}\\b`, "m").test(link));
  const [kind] = kinds;
  assert.ok(kinds.length === 1, `${name}: ${link}`);
  assert.equal(daemons, kind === "wireguard" ? "0" : "1", `${name}: ${link}`);
  return kind === "wireguard" ? "kernel" : "wireguard-go";
}

/** Closes sessions and lets the hosts end their side: one whose machine is gone before would keep the tests from ending. */
export async function farewell(sessions: Iterable<SshSession>): Promise<void> {
  for (const open of sessions) open.close();
  await sleep(2_000);
}
