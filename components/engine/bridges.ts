import { isDeepStrictEqual } from "node:util";

/** The planned addresses of Docker's own bridges on every host, and their largest packet, in bytes. */
export interface BridgePlan {
  /** The network of containers that name no network. */
  readonly docker0: {
    /** In CIDR form. */
    readonly subnet: string;
    /** The bridge's own address with the subnet's prefix, such as `10.96.0.1/24`: Docker's `bip`. */
    readonly gateway: string;
  };
  /** The bridge that gives containers on overlay networks outside access. */
  readonly gwbridge: {
    /** In CIDR form. */
    readonly subnet: string;
    /** The bridge's own address, without a prefix. */
    readonly gateway: string;
  };
  /** Largest packet on them, in bytes. */
  readonly mtu: number;
}

/** Content of `daemon.json`, or part of it. */
export type DaemonSettings = Readonly<Record<string, unknown>>;

/** @param base64 The file as it is on the host; empty where there is none. @throws where Docker could not start with it */
export function daemonSettings(base64: string): DaemonSettings {
  const text = Buffer.from(base64, "base64").toString().trim();
  if (text === "") return {};
  let said = "it is no object";
  try {
    const settings: unknown = JSON.parse(text);
    if (typeof settings === "object" && settings !== null && !Array.isArray(settings)) return settings as DaemonSettings;
  } catch (error) {
    said = (error as Error).message;
  }
  throw new Error(
    `its /etc/docker/daemon.json is no valid JSON, so Docker would not start again with it (${said}). Fix: correct the file or remove it, then run again`,
  );
}

/** What the user's own settings say of these bridges. It wins over the plan, which is to keep clear of it. */
export interface OwnBridges {
  /** docker0's address with its prefix. */
  readonly bip?: string;
  readonly mtu?: number;
  /** Networks that Docker cuts local subnets from, docker_gwbridge's included. */
  readonly pools?: readonly string[];
}

export function ownBridges(settings: DaemonSettings = {}): OwnBridges {
  const { bip, mtu, "default-address-pools": pools } = settings;
  return {
    ...(typeof bip === "string" && { bip }),
    ...(typeof mtu === "number" && { mtu }),
    ...(Array.isArray(pools) && {
      pools: pools.flatMap((pool: unknown) => {
        const base = (pool as { base?: unknown } | null)?.base;
        return typeof base === "string" ? [base] : [];
      }),
    }),
  };
}

/** docker_gwbridge as it is to be. Without a subnet Docker chooses one from the user's pools. */
export interface Gwbridge {
  readonly subnet?: string;
  readonly gateway?: string;
  readonly mtu: number;
}

/** What `bridges.sh look` saw. */
export interface EngineState {
  readonly daemon: DaemonSettings;
  /** `daemon.json` was changed and the run was cut off before the engine restarted. */
  readonly unapplied: boolean;
  /** `inactive` is no member; anything else counts as one. */
  readonly swarm: string;
  readonly gwbridge: {
    readonly IPAM: { readonly Config: readonly { readonly Subnet?: string; readonly Gateway?: string }[] | null };
    readonly Options: Readonly<Record<string, string>> | null;
    readonly Containers: Readonly<Record<string, { readonly Name: string }>> | null;
  } | null;
  /** Tables of iptables that lack Docker's own rules, or the way into them. */
  readonly tablesWithoutRules: readonly string[];
}

/** What is left to do on a host. Nothing at all, when neither `settings` nor `gwbridge` is there. */
export interface EngineChanges {
  readonly member: boolean;
  /** Whole new content of `daemon.json` as far as a member's engine reads it again without a restart. It comes before `settings`. */
  readonly reload?: string;
  /** Whole new content of `daemon.json`: the engine is to be restarted. */
  readonly settings?: string;
  /** Nobody else has written anything into these settings, so that there is nothing to find wrong. */
  readonly allOurs?: true;
  readonly gwbridge?: Gwbridge;
  readonly warnings: readonly string[];
}

/** Keys with which docker0's address is somebody's own: Docker refuses a `bip` beside them, or it would not fit. */
const ownAddress = ["bridge", "fixed-cidr"] as const;

/**
 * What a running engine reads again by a signal (moby, daemon/reload.go), of what programs are pulled by: a member would get it only in its
 * turn otherwise, after the programs that need it.
 */
export const readAgain: readonly string[] = ["insecure-registries", "registry-mirrors"];

/** What a host lacks of the user's settings and the planned bridges. */
export function engineChanges(state: EngineState, own: DaemonSettings = {}, bridges?: BridgePlan): EngineChanges {
  const ours = bridges ? bridgeSettings(bridges, state.daemon, own) : {};
  const wanted = { ...state.daemon, ...ours, ...own };
  const member = state.swarm !== "inactive";
  const reloaded = { ...state.daemon, ...Object.fromEntries(Object.entries(wanted).filter(([key]) => readAgain.includes(key))) };
  const reload = member && !state.unapplied && !isDeepStrictEqual(reloaded, state.daemon);
  const pending = state.unapplied || !isDeepStrictEqual(wanted, reload ? reloaded : state.daemon);
  const allOurs = Object.keys(own).length === 0 && Object.keys(wanted).every((key) => key in ours);
  const { gwbridge, warnings } = bridges ? gwbridgeChange(state, wantedGwbridge(bridges, own), member) : { warnings: [] };
  return {
    member,
    ...(reload && { reload: JSON.stringify(reloaded, undefined, 2) }),
    ...(pending && { settings: JSON.stringify(wanted, undefined, 2), ...(allOurs && { allOurs }) }),
    ...(gwbridge && { gwbridge }),
    // A restart brings the rules back.
    warnings: [...warnings, ...(pending ? [] : lostRules(state))],
  };
}

/** Docker makes them when it starts, and does not notice that they are gone. A restart stops containers, so nobody but a person decides it. */
export function lostRules({ daemon, tablesWithoutRules }: Pick<EngineState, "daemon" | "tablesWithoutRules">): string[] {
  if (tablesWithoutRules.length === 0 || daemon["iptables"] === false || daemon["firewall-backend"] === "nftables") return [];
  return [
    `Docker's own rules are gone (table ${tablesWithoutRules.join(" and ")}), as after "nft flush ruleset" or "iptables -F": published ports and the containers' ` +
      `way out do not work, and what containers send on encrypted networks leaves in plaintext. Fix: "systemctl restart docker" there, one host after the other; its containers restart`,
  ];
}

function bridgeSettings({ docker0, mtu }: BridgePlan, daemon: DaemonSettings, own: DaemonSettings): DaemonSettings {
  const elsewhere = "default-address-pools" in own || ownAddress.some((key) => key in own || key in daemon);
  return { mtu, ...(!elsewhere && { bip: docker0.gateway }) };
}

function wantedGwbridge({ gwbridge, mtu }: BridgePlan, own: DaemonSettings): Gwbridge {
  const { pools, mtu: ownMtu } = ownBridges(own);
  return { ...(!pools && gwbridge), mtu: ownMtu ?? mtu };
}

function gwbridgeChange(state: EngineState, wanted: Gwbridge, member: boolean): Pick<EngineChanges, "gwbridge" | "warnings"> {
  const present = state.gwbridge;
  if (present && isAsWanted(present, wanted)) return { warnings: [] };
  // Docker would make it where it likes, with the next task on an overlay network.
  if (!present && member) return { gwbridge: wanted, warnings: [lostGwbridge] };
  const difference = `docker_gwbridge is ${present ? describe(presentAs(present)) : "missing"} and planned ${describe(wanted)}`;
  if (member) return { warnings: [`${difference}: it is changed when the host next leaves the swarm and joins`] };
  const users = Object.values(present?.Containers ?? {}).map(({ Name }) => Name);
  if (users.length > 0) return { warnings: [`${difference}: it is left so while it is used by ${users.join(", ")}`] };
  return { gwbridge: wanted, warnings: [] };
}

const lostGwbridge =
  "docker_gwbridge, by which containers on overlay networks reach the world, was removed, and is made again. Containers that were on it are " +
  'not: for them, and for ports that the swarm publishes there, run "systemctl restart docker" on this host';

export function presentAs({ IPAM, Options }: NonNullable<EngineState["gwbridge"]>): Gwbridge {
  const { Subnet: subnet, Gateway: gateway } = IPAM.Config?.[0] ?? {};
  return {
    ...(subnet !== undefined && { subnet }),
    ...(gateway !== undefined && { gateway }),
    mtu: Number(Options?.["com.docker.network.driver.mtu"] ?? 1500),
  };
}

function isAsWanted(present: NonNullable<EngineState["gwbridge"]>, wanted: Gwbridge): boolean {
  const { subnet, gateway, mtu } = presentAs(present);
  return mtu === wanted.mtu && (wanted.subnet === undefined || (subnet === wanted.subnet && gateway === wanted.gateway));
}

function describe({ subnet, mtu }: Gwbridge): string {
  return `${subnet === undefined ? "" : `${subnet} with `}MTU ${mtu}`;
}
