import assert from "node:assert/strict";
import { managers, type Name, type SuiteCluster } from "./cluster";
import { eventually } from "../../../tools/lab/cluster";

/** Prints what is on a host and may stay behind, one a line: of what kind it is, and its name. */
export const look = `
list() { sed "s|^|$1 |"; }
for folder in /etc/systemd/system /etc/pulumi-swarm /var/lib/pulumi-swarm /usr/local/lib/pulumi-swarm /run; do
  ls -A $folder 2>/dev/null | list "in $folder:" || true
done
ip -o link | awk -F': ' '{ sub(/@.*/, "", $2); print $2 }' | list link
ip -4 route | list route
nft list tables | list nft
iptables-save | grep -e '^-A' -e '^:' | sed 's/ \\[.*//' | list iptables
getent passwd | cut -d: -f1 | list user
docker network ls --format '{{.Name}} {{.Driver}}' | list network
docker plugin ls --format '{{.Name}}' | list plugin
readlink /proc/[0-9]*/exe 2>/dev/null | grep pulumi-swarm | sort -u | list process || true
`;

/** Comes and goes with Docker (the table raw since 28), containers and systemd, or stays when a host leaves a swarm; docker0 keeps its planned address; the packages of BIRD and Open vSwitch stay, with what they need. */
const ofOthers =
  /docker_gwbridge|docker0|DOCKER|br-[0-9a-f]{12}|veth|ingress|^in \/run: |^iptables :|^user (bird|openvswitch|uuidd)$|: openvswitch(-switch)?\.|^link ovs-(netdev|system)$|^nft table ip6? raw$/;

/** What managers remember of the cluster, which may be called as its overlay is. */
const ofCluster = /^in \/etc\/pulumi-swarm: memory\./;

async function seen(cluster: SuiteCluster, name: Name): Promise<readonly string[]> {
  // Whether a bridge has containers is no trace of an overlay.
  return (await cluster.on(name, look)).split("\n").map((line) => line.trim().replace(/ linkdown$/, ""));
}

/** The overlay's own traces on a host. */
export async function tracesOn(cluster: SuiteCluster, name: Name): Promise<readonly string[]> {
  const { traces } = cluster.overlay;
  return traces === undefined ? [] : (await seen(cluster, name)).filter((line) => traces.test(line) && !ofCluster.test(line));
}

/** They are seen while it stands: a look that finds nothing then would find nothing afterwards either. */
export async function assertTraces(cluster: SuiteCluster): Promise<void> {
  if (cluster.overlay.traces === undefined) return;
  for (const name of cluster.members) assert.notDeepEqual(await tracesOn(cluster, name), [], `nothing of ${cluster.overlay.kind} on ${name}`);
}

export async function assertNoTraces(cluster: SuiteCluster, names: readonly Name[] = cluster.members): Promise<void> {
  for (const name of names) assert.deepEqual(await tracesOn(cluster, name), [], `left of ${cluster.overlay.kind} on ${name}`);
}

/** What there is one of for each host or network. The rest is another program's, or another version's. */
const ofMembers = /^(link|route|network) /;

/** Hosts that came and went, and networks, have left nothing of theirs with the hosts that stay. */
export async function assertAsMade(cluster: SuiteCluster, asFound: AsFound): Promise<void> {
  for (const [name, before] of asFound.made) {
    await eventually(`${name} has no more of ${cluster.overlay.kind} than when it was made`, 30, async () => {
      const more = (await tracesOn(cluster, name)).filter((line) => ofMembers.test(line) && !before.includes(line));
      assert.deepEqual(more, []);
      return true;
    });
  }
}

/** What a host was before the first `up`, to be compared with what it is in the end. */
export class AsFound {
  /** The overlay's traces after the first `up`, of hosts that stay to the end. */
  readonly made = new Map<Name, readonly string[]>();
  private readonly before = new Map<Name, readonly string[]>();

  constructor(private readonly cluster: SuiteCluster) {}

  async remember(names: readonly Name[]): Promise<void> {
    for (const name of names) this.before.set(name, await seen(this.cluster, name));
  }

  async assertAgain(names: readonly Name[] = managers): Promise<void> {
    for (const name of names) {
      const before = new Set(this.before.get(name) ?? assert.fail(`${name} was not looked at before`));
      await eventually(`${name} is as it was found`, 20, async () => {
        const left = (await seen(this.cluster, name)).filter((line) => !before.has(line) && !ofOthers.test(line));
        assert.deepEqual(left, []);
        return true;
      });
    }
  }
}
