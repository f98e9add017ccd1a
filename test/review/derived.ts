import type { Case } from "./cases";

/** A step of the engine's digest, as far as a review reads it. */
interface Step {
  readonly op: string;
  readonly urn: string;
  readonly oldState?: State | null;
  readonly newState?: State | null;
  readonly diffReasons?: readonly string[];
}

interface State {
  readonly urn: string;
  readonly type: string;
  readonly parent?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

/** A preview made out of one of the engine's, by what another edit changes in it. */
export interface Derived {
  readonly name: string;
  /** The preview of the engine's that it is made of. */
  readonly of: Case["name"];
  readonly edit: (steps: readonly Step[]) => readonly Step[];
}

const cluster = "pulumi-swarm:index:SwarmCluster";
const isOfCluster = ({ urn }: Step): boolean => urn.includes(`::${cluster}`);
const clusterUrn = (steps: readonly Step[]): string => steps.find(({ urn }) => urn.includes(`::${cluster}::`))?.urn ?? "";

/** What the engine says of a program that has the cluster no more. */
const removed = (steps: readonly Step[]): Step[] =>
  steps.filter(isOfCluster).flatMap(({ urn, oldState }) => (oldState ? [{ op: "delete", urn, oldState, newState: null }] : []));

const adopted = (steps: readonly Step[]): Step[] =>
  steps.map((step) => {
    const state = step.oldState;
    return state?.type === cluster ? { ...step, oldState: { ...state, inputs: { ...state.inputs, adopted: "lives on" } } } : step;
  });

/** A worker at home, behind a router of which nobody has said the address. */
const behindNat = (steps: readonly Step[]): Step[] => {
  const type = "pulumi-swarm:index:Host";
  const parent = clusterUrn(steps);
  const urn = parent.replace(`::${cluster}::`, `::${cluster}$${type}::`).concat("-home-a");
  const inputs = {
    address: "192.168.1.5",
    group: "home",
    labels: {},
    provider: "existing",
    role: "worker",
    site: "home",
    sshPort: 22,
    tunnelAddress: "10.97.201.2",
  };
  return [
    ...steps.map((step): Step => {
      if (!step.urn.endsWith("FirewallRule::prod-wireguard") || !step.newState) return step;
      const reason = "the encrypted tunnel; from everywhere, since it is not known which address hosts behind address translation show";
      return { ...step, op: "update", newState: { ...step.newState, inputs: { ...step.newState.inputs, reason } }, diffReasons: ["reason"] };
    }),
    { op: "create", urn, oldState: null, newState: { urn, type, parent, inputs } },
  ];
};

/** All machines in the rack were installed anew: what the cluster remembers of them is otherwise. */
const otherKeys = (steps: readonly Step[]): Step[] => {
  const type = "pulumi:index:Stash";
  const parent = clusterUrn(steps);
  const urn = parent.replace(`::${cluster}::`, `::${cluster}$${type}::`).concat("-members");
  const hosts = ["control-a", "control-b", "control-c", "edge-a", "edge-b"];
  const state = (digest: string): State => ({
    urn,
    type,
    parent,
    inputs: {
      input: {
        managers: {},
        members: Object.fromEntries(hosts.map((host, index) => [host, { machine: `${digest}${index}`, address: `tunnel 10.97.202.${index}` }])),
      },
    },
  });
  return [...steps, { op: "update", urn, oldState: state("0a1b2c3d4e5"), newState: state("5e4d3c2b1a0"), diffReasons: ["input"] }];
};

/** Docker of some hosts is older than what the program asks for now. */
const dockerReplaced = (steps: readonly Step[]): Step[] =>
  steps.map((step): Step => {
    const { oldState, newState } = step;
    if (oldState?.type !== cluster || !newState) return step;
    const engines = { "control-a": "28.5.2", "control-b": "28.5.2", "control-c": "29.7.1", "edge-a": "28.5.2", "edge-b": "27.5.1" };
    const hosts = Object.fromEntries(Object.entries(engines).map(([host, engine]) => [host, { engine }]));
    return {
      ...step,
      op: "update",
      oldState: { ...oldState, outputs: { ...oldState.outputs, hosts } },
      newState: { ...newState, inputs: { ...newState.inputs, engine: "29.7" } },
      diffReasons: ["engine"],
    };
  });

/** One input of the cluster becomes another one. */
const changed =
  (input: string, was: object | undefined, will: object) =>
  (steps: readonly Step[]): Step[] =>
    steps.map((step): Step => {
      const { oldState, newState } = step;
      if (oldState?.type !== cluster || !newState) return step;
      return {
        ...step,
        op: "update",
        oldState: { ...oldState, inputs: { ...oldState.inputs, ...(was && { [input]: was }) } },
        newState: { ...newState, inputs: { ...newState.inputs, [input]: will } },
        diffReasons: [input],
      };
    });

/** The same edit of a cluster with one manager, of which the program says this of maintenance. */
const alone = (steps: readonly Step[], maintenance: object): Step[] =>
  steps
    .filter(({ urn }) => !/Host::prod-control-[bc]$/.test(urn))
    .map((step): Step => {
      const { newState } = step;
      return newState?.type === cluster ? { ...step, newState: { ...newState, inputs: { ...newState.inputs, maintenance } } } : step;
    });

/** Nobody is drained. */
const dockerReplacedAlone = (steps: readonly Step[]): Step[] => alone(dockerReplaced(steps), { drain: false, workersAway: 1 });

/** Settings of Docker's change. */
const dockerRestarted = changed("engineSettings", { "log-driver": "0d2c" }, { "log-driver": "9fe1", "log-opts": "77aa" });

/** The package is a newer one. The version before wrote no settings into the state, which Docker has all the same. */
const packageUpgraded = changed("engineSettings", undefined, { "log-driver": "0d2c", "log-opts": "77aa" });

/** Two managers, which are no more than one. */
const dockerRestartedTwo = (steps: readonly Step[]): Step[] => dockerRestarted(steps).filter(({ urn }) => !/Host::prod-control-c$/.test(urn));

/** Another version and other settings. */
const dockerReplacedAndSet = (steps: readonly Step[]): Step[] => dockerRestarted(dockerReplaced(steps));

/** The month's upgrades of packages, and the reboots that these need; last month's were done. */
const maintained = changed(
  "maintenance",
  { packages: "2026-11", reboot: "2026-11", workersAway: 0.5 },
  { packages: "2026-12", reboot: "if required", workersAway: 0.5 },
);

/** Reboots alone; nothing is drained. */
const rebootedAlone = (steps: readonly Step[]): Step[] => alone(maintained(steps), { packages: "2026-11", reboot: "2026-12", drain: false });

/** Between networks, and to them: `web may reach db` was there, `the office` is gone. */
const policed = (steps: readonly Step[]): Step[] => {
  const type = "pulumi-swarm:index:NetworkPolicy";
  const parent = clusterUrn(steps);
  const step = (op: string, name: string, was: object | undefined, will: object | undefined): Step => {
    const urn = parent.replace(`::${cluster}::`, `::${cluster}$${type}::`).concat(`-${name.replaceAll(" ", "-")}`);
    const state = (inputs: object | undefined): State | null =>
      inputs ? { urn, type, parent, inputs: { policy: name, protocol: "tcp", ...inputs } } : null;
    return { op, urn, oldState: state(was), newState: state(will), ...(was && will && { diffReasons: ["from", "ports"] }) };
  };
  return [
    ...steps,
    step(
      "update",
      "web may reach db",
      { from: ["web"], to: ["db"], ports: ["5432"] },
      { from: ["web", "group edge"], to: ["db"], ports: ["5432", "5433"] },
    ),
    step("create", "web may reach the cache", undefined, { from: ["web"], to: ["cache"], ports: ["6379"] }),
    step("create", "everybody may reach web", undefined, { from: ["world"], to: ["web"], ports: ["443"] }),
    step("delete", "the office may reach db", { from: ["10.20.0.0/16"], to: ["db"], ports: ["5432"] }, undefined),
  ];
};

/** Routers outside: `tor` is told more, `spine` is new, and `old` is gone. */
const announced = (steps: readonly Step[]): Step[] => {
  const type = "pulumi-swarm:index:BgpPeer";
  const parent = clusterUrn(steps);
  const step = (op: string, name: string, was: object | undefined, will: object | undefined): Step => {
    const urn = `${parent.replace(`::${cluster}::`, `::${cluster}$${type}::`)}-${name}`;
    const usual = { router: name, address: "10.0.0.1", as: 65010, clusterAs: 64512, on: "members", accepts: [], signedBy: "TCP MD5", bfd: false };
    const state = (inputs: object | undefined): State | null => (inputs ? { urn, type, parent, inputs: { ...usual, ...inputs } } : null);
    return { op, urn, oldState: state(was), newState: state(will), ...(was && will && { diffReasons: ["announces", "accepts"] }) };
  };
  const web = { web: "0.0.0.64/26 of each host's own /24 in 10.97.0.0/17" };
  return [
    ...steps,
    step(
      "update",
      "tor",
      { announces: web },
      { announces: { ...web, db: "0.0.0.128/26 of each host's own /24 in 10.97.0.0/17" }, accepts: ["0.0.0.0/0"] },
    ),
    step("create", "spine", undefined, { address: "10.0.0.2", announces: { "all networks": "each host's own /24 in 10.97.0.0/17" }, bfd: true }),
    step("delete", "old", { address: "10.0.0.3", announces: web, signedBy: "nothing" }, undefined),
  ];
};

/** Machines outside: `rack` moves to another host, `lab` is new, and `old` is gone. */
const trunked = (steps: readonly Step[]): Step[] => {
  const type = "pulumi-swarm:index:VlanTrunk";
  const parent = clusterUrn(steps);
  const step = (op: string, name: string, was: object | undefined, will: object | undefined): Step => {
    const urn = `${parent.replace(`::${cluster}::`, `::${cluster}$${type}::`)}-${name}`;
    const usual = {
      ...{ trunk: name, network: "web", subnet: "10.98.192.0/19", addresses: "10.98.207.0/26" },
      ...{ vlan: 120, on: "edge-1", interface: "eth1", mtu: 1446 },
    };
    const state = (inputs: object | undefined): State | null => (inputs ? { urn, type, parent, inputs: { ...usual, ...inputs } } : null);
    return { op, urn, oldState: state(was), newState: state(will), ...(was && will && { diffReasons: ["on"] }) };
  };
  return [
    ...steps,
    step("update", "rack", {}, { on: "edge-2", vlan: 121 }),
    step("create", "lab", undefined, { network: "db", subnet: "10.98.32.0/19", addresses: "10.98.47.0/26", vlan: 130 }),
    step("delete", "old", { network: "cache", vlan: 140 }, undefined),
  ];
};

/** What `cases` have no preview of the engine's for. `encryption-lost` was one network's hosts before, as an adopted swarm's have to be. */
export const derived: readonly Derived[] = [
  { name: "cluster-removed", of: "nothing", edit: removed },
  { name: "adopted-removed", of: "encryption-lost", edit: (steps) => removed(adopted(steps)) },
  { name: "host-behind-nat", of: "nothing", edit: behindNat },
  { name: "manager-keys-changed", of: "nothing", edit: otherKeys },
  { name: "docker-replaced", of: "nothing", edit: dockerReplaced },
  { name: "docker-replaced-one-manager", of: "nothing", edit: dockerReplacedAlone },
  { name: "docker-restarted", of: "nothing", edit: dockerRestarted },
  { name: "docker-restarted-two-managers", of: "nothing", edit: dockerRestartedTwo },
  { name: "package-upgraded", of: "nothing", edit: packageUpgraded },
  { name: "docker-replaced-and-set", of: "nothing", edit: dockerReplacedAndSet },
  { name: "packages-and-reboots", of: "nothing", edit: maintained },
  { name: "reboots-one-manager", of: "nothing", edit: rebootedAlone },
  { name: "policies", of: "nothing", edit: policed },
  { name: "routers", of: "nothing", edit: announced },
  { name: "trunks", of: "nothing", edit: trunked },
];

/** The preview as the engine's digest writes it. */
export function derive({ edit }: Derived, digest: string): string {
  const preview = JSON.parse(digest) as { readonly steps: readonly Step[] };
  return JSON.stringify({ ...preview, steps: edit(preview.steps), changeSummary: {} });
}
