import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import * as existing from "../../components/hosts/existing";
import type { HostContext } from "../../components/hosts/host";
import type { Connection } from "../../components/remote/connection";
import { deriveSshKey } from "../../components/remote/ssh-key";
import { clientKey, partOfClientKey } from "./client-key";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
const machines = Object.fromEntries(["a", "b", "c"].map((place, index) => [place, { address: `10.20.0.${index + 1}`, hostKey }]));

/** What is logged, and what each machine's connection comes to: an error's message, or the connection. */
async function outcome(access: Partial<existing.ExistingHostsArgs>): Promise<{ readonly logged: string[]; readonly connections: unknown[] }> {
  const logged: string[] = [];
  const { error } = pulumi.log;
  const log = pulumi.log as { error: typeof error };
  log.error = (message) => Promise.resolve(void logged.push(message));
  // Each output has promises of its own, and only one of them is waited for here.
  const listeners = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection").on("unhandledRejection", () => {});
  try {
    const made = existing.hosts({ role: "manager", machines, ...access }).create({ group: "rack" } as HostContext);
    const connections = [...made.values()].map(({ connection }) => (connection as unknown as { promise(): Promise<Connection> }).promise());
    const ends = (await Promise.allSettled(connections)).map((end) => (end.status === "fulfilled" ? end.value : (end.reason as Error).message));
    await new Promise((resolve) => setTimeout(resolve, 10));
    return { logged, connections: ends };
  } finally {
    log.error = error;
    process.removeAllListeners("unhandledRejection");
    for (const listener of listeners) process.on("unhandledRejection", listener);
  }
}

describe("a private key that is a secret", () => {
  it("is looked at as soon as it is known: nothing waits for a connection by it, and one error tells of all machines", async () => {
    const { logged, connections } = await outcome({ privateKey: pulumi.secret("~/.ssh/id_ed25519") });
    assert.deepEqual(logged, [
      'The group of hosts "rack" cannot be planned: 1 problem.\n' +
        "  - hosts.rack.privateKey: this is the path of a file, and the private key itself is needed. " +
        'Fix: store the whole file with "pulumi config set --secret sshKey <FILE", or read it with readFileSync(FILE, "utf8").',
    ]);
    assert.deepEqual(
      connections,
      ["a", "b", "c"].map(() => "nothing is done; the error of the cluster says why"),
    );
  });

  it("is not shown where only a part of it was stored", async () => {
    const { logged } = await outcome({ privateKey: pulumi.secret(clientKey.split("\n").slice(0, 6).join("\n")) });
    assert.match(logged.join("\n"), /the private key cannot be read: a part of it is missing/);
    assert.ok(!logged.join("\n").includes(partOfClientKey));
  });

  it("may be one that takes another's place, which is not the same", async () => {
    const before = deriveSshKey("late", "before").privateKey;
    const { logged, connections } = await outcome({ privateKey: pulumi.secret(clientKey), previousKey: pulumi.secret(before) });
    assert.deepEqual(logged, []);
    assert.deepEqual(connections[0], { host: "10.20.0.1", port: 22, user: "root", hostKey, privateKey: clientKey, formerKeys: [before] });
    const same = await outcome({ privateKey: pulumi.secret(clientKey), previousKey: pulumi.secret(clientKey) });
    assert.match(same.logged.join("\n"), /hosts\.rack\.previousKey: this is the same key as privateKey/);
  });

  it("logs in where it can be read, to a bastion too, with the same passphrase", async () => {
    const bastion = { address: "203.0.113.9", hostKey };
    const { logged, connections } = await outcome({ privateKey: pulumi.secret(clientKey), passphrase: pulumi.secret("a word"), bastion });
    assert.deepEqual(logged, []);
    const login = { privateKey: clientKey, passphrase: "a word" };
    const hop = { host: "203.0.113.9", hostKey, user: "root", port: 22, ...login };
    assert.deepEqual(connections[2], { host: "10.20.0.3", port: 22, user: "root", hostKey, ...login, bastion: hop });
  });
});
