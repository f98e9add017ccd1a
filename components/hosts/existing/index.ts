import * as pulumi from "@pulumi/pulumi";
import { Cidr, isCidr, isPrivate } from "../../addresses/cidr";
import type { Connection } from "../../remote/connection";
import { bareAddress, isIpv4, isLoopback } from "../address";
import { hopOver } from "../bastion";
import { readGroup } from "../group";
import type { HostDescription, HostGroup, Machine } from "../host";
import { type ExistingHostsArgs, existingHostsOptions, type ExistingMachine } from "./args";
import { checkAccess, checkMachine } from "./check";
import { type Login, readable } from "./keys";

export type { ExistingHostsArgs, ExistingMachine } from "./args";

/**
 * Existing machines. `up` connects to them over SSH, and `destroy` leaves them running.
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
      address: bareAddress(machine.privateAddress ?? machine.address),
      sshPort: machine.port ?? args.port ?? 22,
      ...reachOf(args, machine),
      ...(machine.labels && { labels: machine.labels }),
    })),
    addressing: "given",
    problems: [...checkAccess(args), ...machines.flatMap(([place, machine]) => checkMachine(place, machine, args))],
    ...(args.labels && { labels: args.labels }),
    create: ({ group, parent }) => {
      const login = pulumi.secret(readable(args, group, parent));
      return new Map(machines.map(([place, machine]) => [`${group}-${place}`, describeMachine(args, machine, login)]));
    },
  };
}

function reachOf(args: ExistingHostsArgs, machine: ExistingMachine): Pick<HostDescription, "publicAddress" | "seenAs"> {
  const { privateAddress, publicAddress } = machine;
  const address = bareAddress(machine.address);
  const reached = isIpv4(address) && !isLoopback(address) && (privateAddress === undefined ? !isPrivateAddress(address) : privateAddress !== address);
  if (publicAddress !== undefined) return { publicAddress };
  if (reached) return { publicAddress: address };
  return args.natAddress === undefined ? {} : { seenAs: args.natAddress };
}

function isPrivateAddress(address: string): boolean {
  const own = Cidr.parse(`${address}/32`);
  return isCidr(own) && isPrivate(own);
}

/** Without the comment, which says nothing of the machine. */
function keyOf({ hostKey }: ExistingMachine): string {
  return hostKey.split(" ").slice(0, 2).join(" ");
}

function describeMachine(args: ExistingHostsArgs, machine: ExistingMachine, login: pulumi.Output<Login>): Machine {
  const { bastion } = args;
  const connection = login.apply(({ privateKey, passphrase, previousKey, bastionKey }): Connection => ({
    host: machine.address,
    port: machine.port ?? args.port ?? 22,
    user: machine.user ?? args.user ?? "root",
    hostKey: machine.hostKey,
    ...(args.sudo !== undefined && { sudo: args.sudo }),
    ...(privateKey !== undefined && { privateKey }),
    ...(passphrase !== undefined && { passphrase }),
    ...(previousKey !== undefined && { formerKeys: [previousKey] }),
    ...(args.agentSocket !== undefined && { agentSocket: args.agentSocket }),
    ...(args.proxyCommand && { proxyCommand: args.proxyCommand }),
    ...(bastion && {
      bastion: {
        ...hopOver(bastion, bastionKey ?? privateKey),
        // The group's key is locked there too.
        ...(bastionKey === undefined && passphrase !== undefined && { passphrase }),
        ...(args.agentSocket !== undefined && { agentSocket: args.agentSocket }),
      },
    }),
  }));
  return {
    // A machine that was reinstalled has another host key.
    id: machine.hostKey,
    made: { hostKey: keyOf(machine) },
    address: machine.privateAddress ?? machine.address,
    connection,
  };
}
