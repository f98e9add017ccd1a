import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../../../tools/lab/cluster";
import { root } from "../../../tools/lab/pulumi";
import { found } from "../../../tools/lab/secrets";
import type { LabOutputs } from "../lab";
import { lookAtAll } from "../looks";
import { type FaultCluster, keyOf, type Name, names } from "./cluster";

/** What must hold after each case, whatever it did. */

/** Identities of what must not be lost, by what they are. */
export type Belongings = Readonly<Record<string, string>>;

interface Node {
  readonly ID: string;
  readonly Spec: { readonly Role: string; readonly Availability: string; readonly Labels: Readonly<Record<string, string>> };
  readonly Status: { readonly State: string };
  readonly ManagerStatus?: { readonly Reachability: string };
}

const hostLabel = "pulumi-swarm.host";

async function nodes(cluster: FaultCluster): Promise<Node[]> {
  return JSON.parse(await cluster.ask("docker node inspect $(docker node ls -q)")) as Node[];
}

/** Networks are those that the program names. */
export async function belongings(cluster: FaultCluster): Promise<Belongings> {
  const list = async (what: string): Promise<(readonly [string, string])[]> => {
    const lines = await cluster.ask(`docker ${what} ls --format '{{.Name}} {{.ID}}'`);
    return lines
      .split("\n")
      .filter(Boolean)
      .map((line) => [`${what} ${line.split(" ")[0]}`, line.split(" ")[1] ?? ""] as const);
  };
  const networks = cluster.program.networks.map((name) => `network ${name}`);
  const members = (await nodes(cluster)).map(({ ID, Spec }) => [`node ${Spec.Labels[hostLabel]}`, ID] as const);
  const theirs = (await list("network")).filter(([name]) => networks.includes(name));
  return Object.fromEntries([...(await list("service")), ...(await list("secret")), ...theirs, ...members]);
}

/** The swarm is what the program says: members, roles, labels, availability, networks. */
export async function isAsProgrammed(cluster: FaultCluster, { plan, networksMade }: LabOutputs): Promise<void> {
  const wanted = plan.hosts.map(({ key, role, labels }) => `${key} ${role} active ready ${sorted(labels)}`).sort();
  await eventually("the swarm is what the program says", 60, async () => {
    const have = (await nodes(cluster)).map(({ Spec, Status, ManagerStatus }) => {
      const planned = plan.hosts.find(({ key }) => key === Spec.Labels[hostLabel]);
      const labels = Object.fromEntries(Object.keys(planned?.labels ?? {}).map((name) => [name, Spec.Labels[name] ?? "missing"]));
      const role = Spec.Role === "manager" && ManagerStatus?.Reachability !== "reachable" ? `manager ${ManagerStatus?.Reachability}` : Spec.Role;
      return `${Spec.Labels[hostLabel]} ${role} ${Spec.Availability} ${Status.State} ${sorted(labels)}`;
    });
    assert.deepEqual(have.sort(), wanted);
    return true;
  });
  for (const [name, { id, subnet }] of Object.entries(networksMade)) {
    const have = await cluster.ask(`docker network inspect ${name} --format '{{.ID}} {{(index .IPAM.Config 0).Subnet}}'`);
    assert.equal(have, `${id} ${subnet}`, `network ${name}`);
  }
}

function sorted(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** All that was there is there still, and is the same; but for what had to be made anew. */
export function nothingIsLost(before: Belongings, after: Belongings, excused: ReadonlySet<string>): void {
  const kept = Object.entries(before).filter(([what]) => !excused.has(what));
  assert.deepEqual(Object.fromEntries(kept.map(([what]) => [what, after[what]])), Object.fromEntries(kept));
}

/** An outsider finds open on a host what the plan opens to him. Which protocol and which host comes by choice: a scan takes its time. */
export async function opensAsPlanned({ sites }: FaultCluster, { plan }: LabOutputs, name: Name, protocol: "tcp" | "udp"): Promise<void> {
  const look = { wanted: (title: string) => title === `${keyOf(name)} from an outsider`, protocols: [protocol] };
  const { planned, found: open } = await lookAtAll(sites, plan, look);
  assert.deepEqual(open, planned);
}

/** What nobody may read, by name. */
export async function secrets(cluster: FaultCluster): Promise<Record<string, string>> {
  const tokens = await Promise.all(
    ["worker", "manager"].map(async (role) => [`the ${role}s' join token`, await cluster.ask(`docker swarm join-token -q ${role}`)]),
  );
  const keys = await Promise.all(
    names.map(async (name) => {
      const text = await cluster.on(name, "cat /etc/pulumi-swarm/wireguard/private.key 2>/dev/null || true");
      return text === "" ? [] : [[`${keyOf(name)}'s tunnel key`, text]];
    }),
  );
  // Of its lines, one that no other key has.
  const ssh = cluster.sites.keys.client.privateKey.split("\n")[3] ?? "";
  return Object.fromEntries([...tokens, ...keys.flat(), ["the SSH key", ssh]]) as Record<string, string>;
}

/** @param since seconds of the day's clock @param seen the arguments of all programs that ran meanwhile */
export async function noSecretIsSeen(cluster: FaultCluster, known: Readonly<Record<string, string>>, since: number, seen: string): Promise<void> {
  const journals = await Promise.all(
    cluster.members.map(async (name) => [`${keyOf(name)}'s journal`, await cluster.on(name, `journalctl --no-pager -o cat --since @${since}`)]),
  );
  const folder = join(root, ".lab", "state", ".pulumi");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => /stacks.*\bfault\.json$/.test(file));
  assert.ok(files.length > 0, "the state is looked through");
  const places = {
    "programs' arguments": seen,
    "what Pulumi printed": cluster.said.join("\n"),
    "the state": files.map((file) => readFileSync(join(folder, file), "utf8")).join("\n"),
    ...(Object.fromEntries(journals) as Record<string, string>),
  };
  assert.deepEqual(found(known, places), []);
}
