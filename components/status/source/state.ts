import type { IntentRequest, NetworkRequest, SwarmRequest } from "../../agents/request";
import type { Connection } from "../../remote/connection";
import { type Fields, isFields, jsonOf, NoTarget, type Target } from "./target";

/** Pulumi's mark of a secret value: sdk/go/common/resource/sig/sig.go, Key and Secret. */
const mark = "4dabf18193072939515e22adb298388d";

const exporting = "pulumi stack export --show-secrets";

/** One of our programs as a state has it. */
interface Written {
  /** Its file, without the ending. */
  readonly program: string;
  readonly undoneBy: string;
  readonly stdin: unknown;
}

/**
 * The clusters of an exported state. What the last `up` asked its program is there, encrypted like all secrets: the hosts, the way to them,
 * and the plan. So a person at night needs nothing but the stack.
 *
 * @param text What `pulumi stack export --show-secrets` printed.
 * @param by How the state is called where it was learned.
 * @throws NoTarget
 */
export function targetsIn(text: string, by: string): Target[] {
  const programs = programsIn(text);
  const swarms = programs.filter(({ program }) => program === "swarm-up").map((each) => requestOf<SwarmRequest>(each));
  const networks = programs.filter(({ program }) => program === "network-up").map((each) => requestOf<NetworkRequest>(each));
  const asked = begunIn(programs, by);
  const whole = swarms.map((request): Target => {
    // An `up` that failed has replaced machines, and only what it was about to ask has the way to the new ones.
    const ways = asked.find(({ cluster }) => cluster === request.cluster)?.hosts ?? [];
    const newest = (key: string): Connection | undefined => ways.find((host) => host.key === key)?.connection;
    return {
      cluster: request.cluster,
      by,
      hosts: request.hosts.map(({ key, connection }) => ({ key, connection: newest(key) ?? connection })),
      request,
      networks: networks.filter(({ cluster }) => cluster === request.cluster).flatMap(({ name, spec }) => networkOf(name, spec)),
    };
  });
  // Of a cluster whose first `up` failed, the state has only what was about to be asked.
  const begun = asked.filter(({ cluster }) => !whole.some((target) => target.cluster === cluster));
  return [...whole, ...begun].sort(byCluster);
}

/** The clusters of an exported state with the hosts that the last `up` was about to ask, whether it succeeded or not. @throws NoTarget */
export function askedIn(text: string, by: string): Target[] {
  return begunIn(programsIn(text), by).sort(byCluster);
}

function begunIn(programs: readonly Written[], by: string): Target[] {
  return programs
    .filter(({ program, undoneBy }) => program === "intent" && undoneBy === "swarm-down")
    .map((each) => requestOf<IntentRequest & { readonly cluster: string }>(each))
    .map(({ cluster, hosts }): Target => ({ cluster, by, hosts: hosts.map(({ key, connection }) => ({ key, connection })), networks: [] }));
}

function byCluster(a: Target, b: Target): number {
  return a.cluster < b.cluster ? -1 : 1;
}

function networkOf(name: string, spec: NetworkRequest["spec"]): { readonly name: string; readonly subnet: string }[] {
  const { subnet } = spec as { readonly subnet?: unknown };
  return typeof subnet === "string" ? [{ name, subnet }] : [];
}

function programsIn(text: string): Written[] {
  const state = jsonOf(text);
  const deployment = isFields(state) ? state["deployment"] : undefined;
  if (!isFields(deployment)) throw new NoTarget(`This is no state of Pulumi's. Fix: give what "${exporting}" prints`);
  const resources = Array.isArray(deployment["resources"]) ? deployment["resources"].filter(isFields) : [];
  return resources
    .filter(({ type, delete: goes }) => type === "command:local:Command" && goes !== true)
    .flatMap(({ inputs }) => (isFields(inputs) ? writtenIn(inputs) : []));
}

function writtenIn({ create, delete: undo, stdin }: Fields): Written[] {
  const program = programOf(create);
  return program === undefined ? [] : [{ program, undoneBy: programOf(undo) ?? "", stdin }];
}

/** Paths are those of the machine that wrote the state. */
function programOf(command: unknown): string | undefined {
  return typeof command === "string" ? /(?:^|[\\/])agents[\\/]([a-z-]+)\.[jt]s$/.exec(command)?.[1] : undefined;
}

/** @throws NoTarget where the state was exported without its secrets. */
function requestOf<Request>({ stdin }: Written): Request {
  const value = isFields(stdin) && mark in stdin ? opened(stdin) : stdin;
  const request = typeof value === "string" ? jsonOf(value) : undefined;
  if (!isFields(request)) throw new NoTarget('The state does not say how to reach the hosts, or is cut off. Fix: run "pulumi up", then look again');
  return request as Request;
}

function opened(secret: Fields): unknown {
  const { plaintext } = secret;
  if (typeof plaintext !== "string")
    throw new NoTarget(`The state was exported without its secrets, and the way to the hosts is one. Fix: give what "${exporting}" prints`);
  return jsonOf(plaintext);
}
