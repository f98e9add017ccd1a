import * as fc from "fast-check";
import type { ExposeArgs } from "../../components/firewall/args";

/** A cluster of local hosts as the tests' program is told of it, with everything that the edits touch. */
export interface EditedSpec {
  readonly local: {
    readonly control: LocalGroup;
    /** Two hosts that are workers or managers. */
    readonly spare: LocalGroup;
    readonly edge?: LocalGroup;
  };
  readonly networks: Readonly<Record<string, { readonly internal: boolean }>>;
  readonly wireguard: { readonly rotation?: string; readonly keepalive?: number; readonly mtu?: number };
  readonly overlay: {
    readonly native?: object;
    readonly weave?: { readonly rotation?: string };
    readonly flannel?: { readonly slicePrefix?: number };
  };
  readonly firewall: {
    readonly expose: Readonly<Record<string, ExposeArgs & { readonly from: readonly string[] }>>;
  };
  readonly swarm: { readonly certificateExpiry?: string; readonly rotateJoinTokens?: string };
}

interface LocalGroup {
  readonly role: "manager" | "worker";
  readonly numbers: readonly number[];
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Edit extends Changed {
  /** Which of `ways`. */
  readonly way: string;
}

interface Changed {
  readonly what: string;
  readonly spec: EditedSpec;
  /** A host whose machine is to be replaced, by `--replace`. */
  readonly replace?: string;
}

export const first: EditedSpec = {
  local: { control: { role: "manager", numbers: [1] }, spare: { role: "worker", numbers: [1, 2] } },
  networks: { web: { internal: false } },
  wireguard: {},
  overlay: { native: {} },
  firewall: { expose: {} },
  swarm: {},
};

const networkNames = ["api", "db", "queue"];
const ports: Readonly<Record<string, number>> = { https: 443, metrics: 9090, registry: 5000 };
const sources: readonly (readonly string[])[] = [["world"], ["198.51.100.0/24"], ["198.51.100.0/24", "2001:db8::/32"], ["members"]];

/** One way to change a cluster. `number` is the edit's own; all choices come from `pick`. Undefined where there is nothing to change in such a way. */
type Change = (spec: EditedSpec, pick: <T>(from: readonly T[]) => T, number: number) => Changed | undefined;

/** `undefined` of an empty list is no choice at all. */
function choice<T>(from: readonly T[], pick: (from: readonly T[]) => T): T | undefined {
  return from.length === 0 ? undefined : pick(from);
}

const workers = ({ local }: EditedSpec): readonly number[] => local.edge?.numbers ?? [];
const withWorkers = (spec: EditedSpec, numbers: readonly number[]): EditedSpec => {
  const { edge, ...others } = spec.local;
  return { ...spec, local: numbers.length === 0 ? others : { ...others, edge: { role: "worker", ...edge, numbers } } };
};
/** flannel has no networks without a way out. */
const mayBeInternal = ({ overlay }: EditedSpec): boolean => overlay.flannel === undefined;
const without = <T>(record: Readonly<Record<string, T>>, name: string): Record<string, T> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));

const changes: Readonly<Record<string, Change>> = {
  "add a worker": (spec, pick) => {
    const number = choice(
      [1, 2, 3, 4].filter((n) => workers(spec).length < 2 && !workers(spec).includes(n)),
      pick,
    );
    return number === undefined ? undefined : { what: `add edge-${number}`, spec: withWorkers(spec, [...workers(spec), number]) };
  },
  "remove a worker": (spec, pick) => {
    const number = choice(workers(spec), pick);
    if (number === undefined) return undefined;
    return {
      what: `remove edge-${number}`,
      spec: withWorkers(
        spec,
        workers(spec).filter((other) => other !== number),
      ),
    };
  },
  "put one worker in another's place": (spec, pick) => {
    const [old] = workers(spec);
    if (old === undefined) return undefined;
    const number = pick([1, 2, 3, 4].filter((n) => !workers(spec).includes(n)));
    return {
      what: `edge-${number} instead of edge-${old}`,
      spec: withWorkers(
        spec,
        workers(spec).map((other) => (other === old ? number : other)),
      ),
    };
  },
  "replace a machine": (spec, pick) => {
    const host = pick(["spare-1", "spare-2", ...workers(spec).map((number) => `edge-${number}`)]);
    return { what: `another machine for ${host}`, spec, replace: host };
  },
  "change roles": (spec) => {
    const role = spec.local.spare.role === "worker" ? "manager" : "worker";
    return { what: `spare hosts become ${role}s`, spec: { ...spec, local: { ...spec.local, spare: { ...spec.local.spare, role } } } };
  },
  "label a group": (spec, _pick, number) => ({
    what: "other labels for the spare hosts",
    spec: { ...spec, local: { ...spec.local, spare: { ...spec.local.spare, labels: { edit: String(number) } } } },
  }),
  "add a network": (spec, pick) => {
    const name = choice(
      networkNames.filter((each) => !(each in spec.networks)),
      pick,
    );
    return name === undefined
      ? undefined
      : {
          what: `add network ${name}`,
          spec: { ...spec, networks: { ...spec.networks, [name]: { internal: pick(mayBeInternal(spec) ? [true, false] : [false]) } } },
        };
  },
  "remove a network": (spec, pick) => {
    const name = choice(Object.keys(spec.networks).slice(1), pick);
    return name === undefined ? undefined : { what: `remove network ${name}`, spec: { ...spec, networks: without(spec.networks, name) } };
  },
  "open or close a network": (spec, pick) => {
    if (!mayBeInternal(spec)) return undefined;
    const name = pick(Object.keys(spec.networks));
    const internal = spec.networks[name]?.internal !== true;
    return {
      what: `network ${name} becomes ${internal ? "internal" : "open"}`,
      spec: { ...spec, networks: { ...spec.networks, [name]: { internal } } },
    };
  },
  "expose a port": (spec, pick) => {
    const name = choice(
      Object.keys(ports).filter((each) => !(each in spec.firewall.expose)),
      pick,
    );
    if (name === undefined) return undefined;
    const rule = { port: ports[name] ?? 0, from: pick(sources), on: pick(["members", "workers", "managers"] as const) };
    return { what: `expose ${name} to ${rule.from.join(", ")}`, spec: { ...spec, firewall: { expose: { ...spec.firewall.expose, [name]: rule } } } };
  },
  "close a port": (spec, pick) => {
    const name = choice(Object.keys(spec.firewall.expose), pick);
    return name === undefined ? undefined : { what: `close ${name}`, spec: { ...spec, firewall: { expose: without(spec.firewall.expose, name) } } };
  },
  "expose a port to others": (spec, pick) => {
    const name = choice(Object.keys(spec.firewall.expose), pick);
    const rule = name === undefined ? undefined : spec.firewall.expose[name];
    if (name === undefined || rule === undefined) return undefined;
    const from = pick(sources.filter((each) => each.join() !== rule.from.join()));
    return {
      what: `expose ${name} to ${from.join(", ")} instead`,
      spec: { ...spec, firewall: { expose: { ...spec.firewall.expose, [name]: { ...rule, from } } } },
    };
  },
  "change the tunnel's keys": (spec, _pick, number) => ({
    what: "other tunnel keys",
    spec: { ...spec, wireguard: { ...spec.wireguard, rotation: `edit-${number}` } },
  }),
  "change the tunnel": (spec) => {
    const mtu = spec.wireguard.mtu === undefined ? 1400 : undefined;
    const { mtu: _mtu, ...others } = spec.wireguard;
    return {
      what: mtu === undefined ? "the tunnel's usual MTU" : `an MTU of ${mtu} in the tunnel`,
      spec: { ...spec, wireguard: { ...others, ...(mtu && { mtu }) } },
    };
  },
  "change the overlay": (spec, pick) => {
    const kinds = ["native", "weave", "flannel"].filter((kind) => !(kind in spec.overlay));
    const kind = pick(kinds);
    const networks = kind === "flannel" ? Object.fromEntries(Object.keys(spec.networks).map((name) => [name, { internal: false }])) : spec.networks;
    return { what: `${kind} as the overlay`, spec: { ...spec, networks, overlay: { [kind]: {} } } };
  },
  "change an option of the overlay": (spec, _pick, number) => {
    if (spec.overlay.weave)
      return { what: "another password for weave", spec: { ...spec, overlay: { weave: { encrypted: true, rotation: `edit-${number}` } } } };
    if (!spec.overlay.flannel) return undefined;
    const slicePrefix = spec.overlay.flannel.slicePrefix === 27 ? 28 : 27;
    return { what: `slices of /${slicePrefix}`, spec: { ...spec, overlay: { flannel: { slicePrefix } } } };
  },
  "change the swarm's options": (spec, pick, number) => ({
    what: "other options of the swarm",
    spec: { ...spec, swarm: pick([{ certificateExpiry: `${1000 + number}h` }, { rotateJoinTokens: `edit-${number}` }]) },
  }),
  "change nothing": (spec) => ({ what: "nothing", spec }),
};

/** With them each way to change comes up. */
export const usualSeed = 30;
export const usualCount = 30;

/** Names of all ways to change. */
export const ways: readonly string[] = Object.keys(changes);

/**
 * A series of edits, each of the cluster that the one before it left. The same seed gives the same series. Each way to change comes at
 * least once, as far as there is something to change in that way.
 */
export function editsFrom(seed: number, count: number): Edit[] {
  const sample = <T>(arbitrary: fc.Arbitrary<T>, salt: number): T => fc.sample(arbitrary, { seed: seed + salt, numRuns: 1 })[0] as T;
  const rounds = Math.ceil((2 * count) / ways.length);
  const order = Array.from({ length: rounds }, (_, round) => sample(fc.shuffledSubarray([...ways], { minLength: ways.length }), round)).flat();
  const edits: Edit[] = [];
  const waiting = [...order];
  let spec = first;
  while (edits.length < count) {
    const number = edits.length + 1;
    let choices = 0;
    const pick = <T>(from: readonly T[]): T => sample(fc.constantFrom(...from), 1000 * number + choices++);
    // What has nothing to change now is put off, not left out.
    const [way, changed] = firstOf(waiting, (each) => changes[each]?.(spec, pick, number));
    waiting.splice(waiting.indexOf(way), 1);
    edits.push({ way, ...changed });
    spec = changed.spec;
  }
  return edits;
}

function firstOf<A, B>(all: readonly A[], make: (one: A) => B | undefined): [A, B] {
  for (const one of all) {
    const made = make(one);
    if (made !== undefined) return [one, made];
  }
  throw new Error("there is nothing to change in any way");
}
