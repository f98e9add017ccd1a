import * as pulumi from "@pulumi/pulumi";
import { Cidr, isCidr, isPrivate } from "../../network/cidr";
import type { Connection } from "../../remote/connection";
import { show } from "../../report";
import type { HostDescription, HostGroup, HostRole, Machine, Problem } from "../host";
import { hopOver } from "../bastion";

/** One machine that stands already. */
export interface ExistingMachine {
  /** Address or name that is dialled for SSH. */
  readonly address: string;
  /**
   * Private address on which the other hosts of the site reach it; Docker advertises it.
   * @default - `address`, which must then be an IPv4 address
   */
  readonly privateAddress?: string;
  /**
   * IPv4 address on which hosts of other sites reach it.
   * @default - `address`, where it is a public one or `privateAddress` is another; else none: the machine stands behind
   * network address translation
   */
  readonly publicAddress?: string;
  /** Public host key in authorized_keys form; `ssh-keyscan -t ed25519 ADDRESS` prints it. Required: nothing is trusted on first use. */
  readonly hostKey: string;
  /** Who logs in. @default - the group's */
  readonly user?: string;
  /** Where its sshd listens. @default - the group's */
  readonly port?: number;
  /** Swarm node labels. @default - the group's */
  readonly labels?: Readonly<Record<string, string>>;
}

/** Machines that you have, reached over SSH. Nothing of them is made or destroyed; leaving the cluster they leave the swarm. */
export interface ExistingHostsArgs {
  /** What the machines are in the swarm. */
  readonly role: HostRole;
  /** Each machine under a name of your choice, unique in the group: `rack-a` in group `edge` becomes the host `edge-rack-a`. */
  readonly machines: Readonly<Record<string, ExistingMachine>>;
  /** Where they stand: hosts of one site reach each other by private address. @default "existing" */
  readonly site?: string;
  /** The site's network in CIDR form, for the check against overlaps. @default - not known, so not checked */
  readonly network?: string;
  /** Largest packet of the site's network in bytes. @default 1500 */
  readonly mtu?: number;
  /** Largest packet on the way to other sites, where that is known to be wider or narrower. @default - `mtu`, and 1500 at most */
  readonly mtuOutside?: number;
  /** IPv4 address with which the site's router shows hosts that have no public address to other sites. @default - not known */
  readonly natAddress?: string;
  /** Who logs in. @default "root" */
  readonly user?: string;
  /** Where sshd listens. @default 22 */
  readonly port?: number;
  /** Whether commands run by `sudo -n`. @default - true unless the user is root */
  readonly sudo?: boolean;
  /** Private key for all machines of the group. Kept as a secret. One of `privateKey` and `agentSocket` is needed. @default - none */
  readonly privateKey?: pulumi.Input<string>;
  /** Passphrase of `privateKey`. Kept as a secret. @default - none */
  readonly passphrase?: pulumi.Input<string>;
  /** Socket of a running ssh-agent. @default - no agent is asked */
  readonly agentSocket?: string;
  /**
   * A program that carries the connection to each of them, as OpenSSH's ProxyCommand does: its name and its arguments, a text each,
   * such as `["cloudflared", "access", "ssh", "--hostname", "%h"]`. `%h`, `%p` and `%r` are replaced by address, port and user. It
   * runs wherever Pulumi does, and nothing secret may be among its arguments. `firewall.ssh` names whom the hosts see then:
   * `127.0.0.1/32` where its other end runs on the host itself. Not beside `bastion`.
   * @default - dialled directly
   */
  readonly proxyCommand?: readonly string[];
  /** A host to hop over to all of them. @default - dialled directly */
  readonly bastion?: {
    /** Address or name that is dialled for SSH. */
    readonly address: string;
    /** Its public host key in authorized_keys form. */
    readonly hostKey: string;
    /** Who logs in. @default "root" */
    readonly user?: string;
    /** Where its sshd listens. @default 22 */
    readonly port?: number;
    /** Private key for it. Kept as a secret. @default - the group's key */
    readonly privateKey?: pulumi.Input<string>;
  };
  /** Swarm node labels of all machines of the group. @default - none */
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Machines that stand already: dialled over SSH by `up`, and left standing by `destroy`.
 *
 * @example
 * existing.hosts({ role: "worker", privateKey: config.requireSecret("key"), machines: {
 *   "rack-a": { address: "192.0.2.10", hostKey: "ssh-ed25519 AAAA…" },
 * } })
 */
export function hosts(args: ExistingHostsArgs): HostGroup {
  const machines = Object.entries(args.machines ?? {});
  return {
    provider: "existing",
    role: args.role,
    site: {
      key: args.site ?? "existing",
      mtu: args.mtu ?? 1500,
      ...(args.mtuOutside !== undefined && { mtuOutside: args.mtuOutside }),
      ...(args.network !== undefined && { network: args.network }),
    },
    hosts: machines.map(([place, machine]): HostDescription => ({
      place,
      address: machine.privateAddress ?? machine.address,
      sshPort: machine.port ?? args.port ?? 22,
      ...reachOf(args, machine),
      ...(machine.labels && { labels: machine.labels }),
    })),
    addressing: "given",
    problems: [...checkAccess(args), ...machines.flatMap(([place, machine]) => checkMachine(place, machine))],
    ...(args.labels && { labels: args.labels }),
    create: ({ group }) => new Map(machines.map(([place, machine]) => [`${group}-${place}`, describeMachine(args, machine)])),
  };
}

function reachOf(args: ExistingHostsArgs, machine: ExistingMachine): Pick<HostDescription, "publicAddress" | "seenAs"> {
  const { address, privateAddress, publicAddress } = machine;
  const reached = ipv4Pattern.test(address) && (privateAddress === undefined ? !isPrivateAddress(address) : privateAddress !== address);
  if (publicAddress !== undefined) return { publicAddress };
  if (reached) return { publicAddress: address };
  return args.natAddress === undefined ? {} : { seenAs: args.natAddress };
}

function isPrivateAddress(address: string): boolean {
  const own = Cidr.parse(`${address}/32`);
  return isCidr(own) && isPrivate(own);
}

const hostKeyPattern = /^(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa) [A-Za-z0-9+/]+=*( .*)?$/;
const ipv4Pattern = /^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/;

function checkAccess(args: ExistingHostsArgs): Problem[] {
  const problems: Problem[] = [];
  if (Object.keys(args.machines ?? {}).length === 0) {
    problems.push({ path: "machines", message: "no machine is given", fix: "give at least one, or leave the group out" });
  }
  if (args.privateKey === undefined && args.agentSocket === undefined) {
    problems.push({ path: "privateKey", message: "there is no way to log in", fix: "give privateKey or agentSocket" });
  }
  if (args.natAddress !== undefined && !ipv4Pattern.test(args.natAddress)) {
    problems.push({
      path: "natAddress",
      message: `"${args.natAddress}" is not an IPv4 address`,
      fix: "give the router's public IPv4 address, or leave it out",
    });
  }
  if (args.bastion && !hostKeyPattern.test(args.bastion.hostKey))
    problems.push(hostKeyProblem("bastion.hostKey", args.bastion.hostKey, args.bastion.address));
  return [...problems, ...checkProxy(args)];
}

/** A program without types may give a line, as OpenSSH has it. */
function checkProxy({ proxyCommand, bastion }: ExistingHostsArgs): Problem[] {
  if (proxyCommand === undefined) return [];
  const path = "proxyCommand";
  const words: unknown = proxyCommand;
  if (!Array.isArray(words) || words.length === 0 || !words.every((word) => typeof word === "string" && word !== "")) {
    return [{ path, message: `${show(words)} is not a program with its arguments`, fix: 'write a text each, such as ["nc", "%h", "%p"]' }];
  }
  const stray = words.flatMap((word: string) => word.match(/%(?:[^%hpr]|$)|%%/g) ?? []).find((token) => token !== "%%");
  return [
    ...(stray === undefined ? [] : [{ path, message: `"${stray}" stands for nothing`, fix: "use %h, %p and %r, and write %% for a percent sign" }]),
    ...(bastion ? [{ path, message: "a program and a bastion are both to carry the connection", fix: "keep one of them" }] : []),
  ];
}

function checkMachine(place: string, machine: ExistingMachine): Problem[] {
  const problems: Problem[] = [];
  const path = `machines.${place}`;
  if (!/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(place)) {
    problems.push({ path, message: `"${place}" cannot name a host`, fix: "use lower-case letters, digits and hyphens" });
  }
  if (!hostKeyPattern.test(machine.hostKey ?? "")) problems.push(hostKeyProblem(`${path}.hostKey`, machine.hostKey, machine.address));
  const advertised = machine.privateAddress ?? machine.address;
  if (!ipv4Pattern.test(advertised)) {
    problems.push({
      path: `${path}.${machine.privateAddress === undefined ? "address" : "privateAddress"}`,
      message: `"${advertised}" is not an IPv4 address, and Docker advertises nothing else`,
      fix: "give the machine's private IPv4 address as privateAddress",
    });
  }
  if (machine.publicAddress !== undefined && !ipv4Pattern.test(machine.publicAddress)) {
    problems.push({
      path: `${path}.publicAddress`,
      message: `"${machine.publicAddress}" is not an IPv4 address`,
      fix: "give the address on which other sites reach it, or leave it out",
    });
  }
  return problems;
}

function hostKeyProblem(path: string, hostKey: string | undefined, address: string): Problem {
  return {
    path,
    message: hostKey ? `"${hostKey.slice(0, 40)}" is not a public host key in authorized_keys form` : "no host key is pinned",
    fix: `take the line that "ssh-keyscan -t ed25519 ${address}" prints, without the address, after comparing it on the machine itself`,
  };
}

/** Without the comment, which says nothing of the machine. */
function keyOf({ hostKey }: ExistingMachine): string {
  return hostKey.split(" ").slice(0, 2).join(" ");
}

function describeMachine(args: ExistingHostsArgs, machine: ExistingMachine): Machine {
  const { bastion } = args;
  const connection = pulumi
    .all([args.privateKey, args.passphrase, bastion?.privateKey ?? args.privateKey])
    .apply(([privateKey, passphrase, bastionKey]): Connection => ({
      host: machine.address,
      port: machine.port ?? args.port ?? 22,
      user: machine.user ?? args.user ?? "root",
      hostKey: machine.hostKey,
      ...(args.sudo !== undefined && { sudo: args.sudo }),
      ...(privateKey !== undefined && { privateKey }),
      ...(passphrase !== undefined && { passphrase }),
      ...(args.agentSocket !== undefined && { agentSocket: args.agentSocket }),
      ...(args.proxyCommand && { proxyCommand: args.proxyCommand }),
      ...(bastion && { bastion: { ...hopOver(bastion, bastionKey), ...(args.agentSocket !== undefined && { agentSocket: args.agentSocket }) } }),
    }));
  return {
    // A machine that was reinstalled has another host key.
    id: machine.hostKey,
    made: { hostKey: keyOf(machine) },
    address: machine.privateAddress ?? machine.address,
    connection: pulumi.secret(connection),
  };
}
