import * as pulumi from "@pulumi/pulumi";
import { Cidr, isCidr, isPrivate } from "../../network/cidr";
import type { Connection } from "../../remote/connection";
import { show } from "../../report";
import type { HostDescription, HostGroup, Machine, Problem } from "../host";
import { hopOver } from "../bastion";
import { readGroup } from "../group";
import { type ExistingHostsArgs, existingHostsOptions, type ExistingMachine } from "./args";

export type { ExistingHostsArgs, ExistingMachine } from "./args";

/**
 * Machines that stand already: dialled over SSH by `up`, and left standing by `destroy`.
 *
 * @example
 * existing.hosts({ role: "worker", privateKey: config.requireSecret("key"), machines: {
 *   "rack-a": { address: "192.0.2.10", hostKey: "ssh-ed25519 AAAA…" },
 * } })
 */
export function hosts(args: ExistingHostsArgs): HostGroup {
  return readGroup("existing", args, existingHostsOptions, describe);
}

function describe(args: ExistingHostsArgs): HostGroup {
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
  problems.push(...checkPort("port", args.port), ...checkPort("bastion.port", args.bastion?.port));
  if (args.bastion && !hostKeyPattern.test(args.bastion.hostKey))
    problems.push(hostKeyProblem("bastion.hostKey", args.bastion.hostKey, args.bastion.address));
  return [...problems, ...checkProxy(args)];
}

function checkPort(path: string, port: unknown): Problem[] {
  if (port === undefined || (typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65_535)) return [];
  return [{ path, message: `${show(port)} is not a TCP port`, fix: "give a whole number from 1 to 65535, or leave it out for 22" }];
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
  problems.push(...checkPort(`${path}.port`, machine.port));
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
