import type { Network, NetworkIo } from "./api";
import type { EngineApi } from "../remote/engine-api";
import { whileWaiting } from "../waiting";
import { DockerApiError } from "../remote/docker-api";
import { createNetwork, type NetworkBody, onceMoreIfOverlooked, removeNetwork } from "./reconcile";

/** The network by which every host of the swarm answers on a published port. */
export interface IngressPlan {
  readonly subnet: string;
  readonly gateway: string;
  /** The underlay's, in bytes: Docker subtracts what it adds itself. */
  readonly mtu: number;
}

const mtuOption = "com.docker.network.driver.mtu";

/**
 * Brings the ingress network to its planned place and MTU. The swarm makes it itself when it is formed, anywhere in its pools and
 * with an MTU of 1500. It cannot be changed, only made anew, and only while no service publishes a port by it: else the old one is
 * left working, and the error says what to do. A run that was cut off between the two is finished by the next.
 *
 * @param onRemoved Called when the swarm has no other one any more: a node that joins from then on gets no other, and needs not wait for the new one.
 * @returns whether it was made; then no node has it until `attachNodes`.
 */
export function placeIngress(api: EngineApi, plan: IngressPlan, io: NetworkIo, onRemoved?: () => void): Promise<boolean> {
  return onceMoreIfOverlooked(() => bring(api, plan, io, onRemoved));
}

/** The same, and waits until the nodes have it. */
export async function ingressUp(api: EngineApi, plan: IngressPlan, io: NetworkIo): Promise<void> {
  if (await placeIngress(api, plan, io)) await attachNodes(api, io);
}

async function bring(api: EngineApi, plan: IngressPlan, io: NetworkIo, onRemoved?: () => void): Promise<boolean> {
  // By what it is, not by its name: somebody may have made it anew under another one.
  const present = (await api.get<readonly Network[]>("/networks")).find(({ Ingress, Scope }) => Ingress === true && Scope === "swarm");
  if (present) {
    const differences = compare(present, plan);
    if (differences.length === 0) return false;
    const users = await publishers(api);
    if (users.length > 0) {
      throw new Error(
        `the ingress network cannot be changed (${differences.join("; ")}) while ports are published by it by ${users.join(", ")}; it is left as it was. ` +
          `Publish their ports by the host (docker service update --publish-rm …, then --publish-add mode=host,…), or remove them, run again, and put them back; ` +
          `or keep it where it is by pins: { ingress: "${present.IPAM.Config?.[0]?.Subnet ?? "its subnet"}" }`,
      );
    }
    io.progress(`recreating the ingress network (${differences.join("; ")})`);
    await tasksAreGone(api, present, io);
    await removeNetwork(api, present, io, onRemoved);
  } else {
    io.progress(`making the ingress network, which is missing (${plan.subnet}, MTU ${plan.mtu})`);
  }
  await createNetwork(api, body(plan), io);
  return true;
}

/** What a manager says of a node, as far as a change of its labels needs it. */
interface Node {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: { readonly Labels?: Readonly<Record<string, string>> | null };
}

/** There for a moment only. */
const passing = "pulumi-swarm.attach";
/** An engine has taken the first change in by then. */
const between = 1_000;
/** How often somebody else may change a node at the same moment. */
const attempts = 3;

/**
 * Has the swarm attach its nodes to the ingress network. It does that for a node that joins or changes, and not for those that are there
 * when the network is made (swarmkit, manager/allocator/network.go: `EventCreateNetwork` attaches nobody, `EventUpdateNode` its node): they
 * would have no ingress at all until their engines restart (seen on 26.1.5).
 *
 * A node's engine then makes the network beside learning of its own address on it, and where it is too quick it gives up ("failed to find a
 * load balancer IP to use for network", seen on one of three nodes). It tries again when its node changes once more (agent/agent.go,
 * nodesEqual). So there are two changes: a label comes, and goes.
 */
export async function attachNodes(api: EngineApi, io: Pick<NetworkIo, "sleep">): Promise<void> {
  await changeLabels(api, (labels) => ({ ...labels, [passing]: "" }));
  await io.sleep(between);
  await changeLabels(api, ({ [passing]: _passing, ...labels }) => labels);
}

type Labels = Readonly<Record<string, string>>;

async function changeLabels(api: EngineApi, change: (labels: Labels) => Labels): Promise<void> {
  for (const node of await api.get<readonly Node[]>("/nodes")) await changeOne(api, node, change, attempts);
}

async function changeOne(api: EngineApi, { ID, Version, Spec }: Node, change: (labels: Labels) => Labels, left: number): Promise<void> {
  try {
    await api.post(`/nodes/${ID}/update?version=${Version.Index}`, { ...Spec, Labels: change(Spec.Labels ?? {}) });
  } catch (error) {
    if (!(error instanceof DockerApiError) || left <= 1) throw error;
    // Somebody else changed it in between, or it is gone.
    const now = (await api.get<readonly Node[]>("/nodes")).find((node) => node.ID === ID);
    if (now) await changeOne(api, now, change, left - 1);
  }
}

function body({ subnet, gateway, mtu }: IngressPlan): NetworkBody {
  return {
    Name: "ingress",
    Driver: "overlay",
    Ingress: true,
    IPAM: { Driver: "default", Config: [{ Subnet: subnet, Gateway: gateway }] },
    Options: { [mtuOption]: String(mtu) },
  };
}

function compare({ IPAM, Options }: Network, { subnet, gateway, mtu }: IngressPlan): string[] {
  const config = IPAM.Config?.[0];
  const pairs: readonly (readonly [string, string | undefined, string])[] = [
    ["subnet", config?.Subnet, subnet],
    ["gateway", config?.Gateway, gateway],
    ["MTU", Options?.[mtuOption] ?? "1500", String(mtu)],
  ];
  return pairs.filter(([, is, want]) => is !== want).map(([what, is, want]) => `${what} ${is ?? "unknown"} to ${want}`);
}

async function publishers(api: EngineApi): Promise<string[]> {
  interface Service {
    readonly Spec: { readonly Name: string; readonly EndpointSpec?: { readonly Ports?: readonly { readonly PublishMode?: string }[] | null } };
  }
  const services = await api.get<readonly Service[]>("/services");
  return services
    .filter(({ Spec }) => (Spec.EndpointSpec?.Ports ?? []).some(({ PublishMode }) => PublishMode !== "host"))
    .map(({ Spec }) => `service ${Spec.Name}`);
}

/** A container may take its time to stop; Docker's own default is 10 s, and then some for cleaning up. */
const stopTimeout = 60_000;

const ended = ["complete", "shutdown", "failed", "rejected", "remove", "orphaned"];

/**
 * Docker asks only whether services use it. Removed under a task that is still stopping, it stays on that host's engine, which then
 * has no ingress at all until it restarts (seen on 26.1.5).
 */
function tasksAreGone(api: EngineApi, network: Network, io: NetworkIo): Promise<void> {
  return whileWaiting(io, undefined, "tasks that published by the ingress network to stop", stopTimeout, (seen) =>
    untilTasksAreGone(api, network, io, seen),
  );
}

async function untilTasksAreGone(api: EngineApi, network: Network, io: NetworkIo, seen: (detail: string) => void): Promise<void> {
  interface Task {
    readonly Status: { readonly State: string };
    readonly NetworksAttachments?: readonly { readonly Network?: { readonly ID?: string } }[] | null;
  }
  const until = io.now() + stopTimeout;
  for (;;) {
    const tasks = await api.get<readonly Task[]>("/tasks");
    const attached = tasks.filter(
      ({ Status, NetworksAttachments }) =>
        !ended.includes(Status.State) && (NetworksAttachments ?? []).some((attachment) => attachment.Network?.ID === network.Id),
    );
    if (attached.length === 0) return;
    if (io.now() > until) {
      throw new Error(
        `the ingress network cannot be recreated: tasks that published by it (${attached.length}) have not stopped within ` +
          `${stopTimeout / 1000} s; it is left as it was. Run again when they have (docker service ps, docker ps)`,
      );
    }
    seen(`${attached.length} left`);
    await io.sleep(500);
  }
}
