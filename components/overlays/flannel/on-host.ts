import { pruneProgram } from "../../programs/install";
import { type Failure, onEach } from "../../remote/each";
import type { OverlayIo } from "../agent";
import { runnerOf, type Session } from "../hosts";
import { loadRoutedScript } from "../routed/scripts";
import { removeEtcd } from "./etcd/hosts";

export const scriptTimeout = 3 * 60_000;

/** Runs a verb of `flannel.sh`. */
export const run = runnerOf(loadRoutedScript(__dirname, "flannel.sh", ["../reached.sh"]), scriptTimeout);

export const programNames = { flanneld: "flanneld", etcd: "etcd" } as const;

/** Takes all of it off hosts. */
export async function down(hosts: readonly { readonly key: string; readonly session: Session }[], io: OverlayIo): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  await onEach(hosts, failures, (host) => run(host, io, "down"));
  await clear(
    hosts.filter(({ key }) => !failures.some(({ host }) => host === key)),
    failures,
    io,
  );
  return failures;
}

/** What is left when flanneld and the networks are gone. */
export async function clear(
  hosts: readonly { readonly key: string; readonly session: Session }[],
  failures: Failure[],
  io: OverlayIo,
): Promise<void> {
  await removeEtcd(hosts, failures, io);
  await onEach(
    hosts.filter(({ key }) => !failures.some(({ host }) => host === key)),
    failures,
    async (host) => {
      for (const name of Object.values(programNames)) await pruneProgram(host.session, name, undefined);
      await run(host, io, "forget");
    },
  );
}
