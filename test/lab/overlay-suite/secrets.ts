import assert from "node:assert/strict";
import { docker } from "../../../tools/lab/machines";
import { found } from "../../../tools/lab/secrets";
import type { Name, SuiteCluster } from "./cluster";

/** What nobody may read, by the host on which it is. */
export async function secretsOf(cluster: SuiteCluster): Promise<ReadonlyMap<Name, readonly string[]>> {
  const { secret } = cluster;
  if (!secret) return new Map();
  const printed = cluster.members.map(async (name) => [name, (await cluster.on(name, secret.print)).split("\n").filter(Boolean)] as const);
  const all = new Map(await Promise.all(printed));
  const kinds = new Set([...all.values()].flat()).size;
  const [first = []] = all.values();
  const expected = secret.perHost === "all the same" ? first.length : [...all.values()].reduce((sum, { length }) => sum + length, 0);
  assert.ok(expected > 0);
  assert.equal(kinds, expected, secret.perHost);
  return all;
}

/** Those of an `up` that has just ended are on their hosts, and nowhere else. */
export async function secretsAreHidden(
  cluster: SuiteCluster,
  said: { readonly output: string; readonly arguments: string },
  earlier: ReadonlyMap<Name, readonly string[]> = new Map(),
): Promise<void> {
  const { secret } = cluster;
  if (!secret) return;
  const shown = (await cluster.lab.stack.pulumi(["stack", "export", "--show-secrets"])).stdout;
  const { deployment } = JSON.parse(shown) as { deployment: { resources: { urn: string; outputs?: { output?: { plaintext?: string } } }[] } };
  const stash = deployment.resources.find(({ urn }) => urn.endsWith(`::${cluster.lab.name}-overlay-secret`))?.outputs?.output?.plaintext;
  const own = JSON.parse(stash ?? '""') as string;
  assert.match(own, /^[A-Za-z0-9_-]{43}$/);
  assert.match(said.arguments, secret.seen, "arguments were seen");
  const looks = "journalctl --no-pager -o verbose; docker plugin inspect $(docker plugin ls -q) 2>/dev/null; systemctl show 'pulumi-swarm-*'";
  const journals = await Promise.all(cluster.members.map((name) => cluster.on(name, `{ ${looks}; } || true`)));
  const places = { ...said, "journals and units": journals.join("\n"), state: await cluster.lab.stack.export() };
  const onHosts = [...(await secretsOf(cluster)), ...earlier].flatMap(([name, values], host) =>
    values.map((value, index) => [`secret ${index + 1} of ${name} (${host})`, value] as const),
  );
  assert.deepEqual(found(Object.fromEntries(onHosts), { ...places, "state with its secrets": shown }), []);
  assert.deepEqual(found({ "the cluster's secret": own }, places), []);
  for (const name of cluster.members) {
    const others = await docker("exec", "--user", "nobody", cluster.host(name).machine, "sh", "-c", `{ ${secret.print}; } 2>/dev/null || true`);
    assert.equal(others, "", `another user of ${name} reads them`);
  }
}
