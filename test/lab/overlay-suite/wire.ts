import assert from "node:assert/strict";
import { capture, interfaceWith, kinds } from "../../../tools/lab/capture";
import { eventually } from "../../../tools/lab/cluster";
import { type NetworkFile, networkOf } from "../../../tools/lab/namespace";
import { notOfScans } from "../../../tools/lab/scan";
import type { ClusterPlan } from "../../../components/cluster/planned";
import type { Name, SuiteCluster } from "./cluster";
import { inside } from "./containers";

/** Where somebody between two hosts would listen: at the first one, or on the link between the sites. */
async function wire(
  cluster: SuiteCluster,
): Promise<{ readonly network: NetworkFile; readonly device: string; readonly ends: readonly [Name, Name] }> {
  const machine = cluster.tunnelled ? cluster.sites.routerMachine("b") : cluster.host("c1").machine;
  const address = cluster.tunnelled ? cluster.sites.routerAddress("b", "link") : cluster.host("c1").address;
  const network = await networkOf(machine);
  return { network, device: await interfaceWith(network, address), ends: ["c1", cluster.tunnelled ? "c3" : "c2"] };
}

const filter = [`not port 22 and not udp port 53 and ${notOfScans}`];
/** Of each packet. */
const everything = 65_535;
let marks = 0;

/** One container tells another one on another host a word. @returns whether it is seen on the wire, and what kinds of packets are */
async function tellAWord(
  cluster: SuiteCluster,
  expected: readonly string[],
): Promise<{ readonly shown: boolean; readonly seen: Map<string, number> }> {
  const { network, device, ends } = await wire(cluster);
  const [from, to] = ends;
  const word = `MARKER-${cluster.overlay.kind}-${(marks += 1)}`;
  const tell = async (): Promise<string> => {
    const heard = inside(cluster, to, "timeout 20 nc -l -p 7777");
    // The other side may not listen yet.
    await eventually("the word is told", 15, () => inside(cluster, from, `echo ${word} | nc -w 2 web-${to} 7777`));
    return heard;
  };
  const { packets, bytes, result } = await capture(
    network,
    device,
    cluster.tunnelled ? () => inTunnel(cluster, from, word, tell) : tell,
    filter,
    everything,
  );
  assert.equal(result, word, "it arrived");
  return { shown: bytes.includes(word), seen: kinds(packets, expected) };
}

/** The control of what is not seen outside of the tunnel: no overlay encrypts in it. */
async function inTunnel<T>(cluster: SuiteCluster, from: Name, word: string, tell: () => Promise<T>): Promise<T> {
  const { bytes, result } = await capture(await networkOf(cluster.host(from).machine), "swarm0", tell, filter, everything);
  assert.ok(bytes.includes(word), "it is seen where the tunnel begins");
  return result;
}

/** What containers say is seen on the wire exactly where the plan says that nothing protects it; where it is, nothing is seen but what the plan allows. */
export async function shownAsPlanned(cluster: SuiteCluster, plan: ClusterPlan): Promise<boolean> {
  const { protects } = plan.encryption.find(({ channel }) => channel === "overlay data") ?? assert.fail("the plan says nothing of containers' data");
  // Between sites nothing is seen but the tunnel.
  const expected = ["arp", "ndp", ...(cluster.tunnelled ? ["udp/51820"] : plan.firewall.flatMap(kindsOf))];
  const { shown, seen } = await tellAWord(cluster, expected);
  assert.equal(shown, !protects);
  process.stdout.write(`      on the wire: ${[...seen].map(([kind, count]) => `${count} ${kind}`).join(", ")}\n`);
  if (protects)
    assert.deepEqual(
      [...seen.keys()].filter((kind) => !expected.includes(kind)),
      [],
    );
  return protects;
}

/** As a capture names the packets that a rule allows. */
function kindsOf({ protocol, ports }: ClusterPlan["firewall"][number]): readonly string[] {
  if (protocol === "esp") return ["protocol 50"];
  return ports.flatMap((port) => {
    const [first = 0, last = first] = port.split("-").map(Number);
    return Array.from({ length: Math.min(last - first + 1, 20) }, (_, index) => `${protocol}/${first + index}`);
  });
}
