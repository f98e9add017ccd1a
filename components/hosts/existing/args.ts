import type * as pulumi from "@pulumi/pulumi";
import { flag, labels, named, opaque, optional, options, required, text } from "../../options";
import type { HostRole } from "../host";

/** One existing machine. */
export interface ExistingMachine {
  /** Address or name for the SSH connection. */
  readonly address: string;
  /**
   * Private address that the other hosts of the site use. Docker advertises it.
   * @default - `address`, which must then be an IPv4 address
   */
  readonly privateAddress?: string;
  /**
   * IPv4 address that hosts of other sites use.
   * @default - `address`, if it is a public one or `privateAddress` differs from it; otherwise none: the machine is behind
   * network address translation
   */
  readonly publicAddress?: string;
  /**
   * Public host key in authorized_keys form, as `ssh-keyscan -t ed25519 ADDRESS` prints it. Required: no key is trusted on first
   * use.
   */
  readonly hostKey: string;
  /** Who logs in. @default - the group's */
  readonly user?: string;
  /** Where its sshd listens. @default - the group's */
  readonly port?: number;
  /** Swarm node labels. @default - the group's */
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Your existing machines, reached over SSH. They are neither made nor destroyed. When they leave the cluster, they leave the
 * swarm.
 */
export interface ExistingHostsArgs {
  /** What the machines are in the swarm. */
  readonly role: HostRole;
  /** The machines by a name of your choice, unique in the group: `rack-a` in group `edge` becomes the host `edge-rack-a`. */
  readonly machines: Readonly<Record<string, ExistingMachine>>;
  /** Their site. Hosts of one site reach each other at private addresses. @default "existing" */
  readonly site?: string;
  /** The site's network in CIDR form, for the check against overlaps. @default - not known, and not checked */
  readonly network?: string;
  /** Largest packet of the site's network in bytes. @default 1500 */
  readonly mtu?: number;
  /** Largest packet on the path to other sites, if you know that it is larger or smaller. @default - `mtu`, and 1500 at most */
  readonly mtuOutside?: number;
  /**
   * IPv4 address that other sites see when hosts without a public address call them through the site's router.
   * @default - not known
   */
  readonly natAddress?: string;
  /** Who logs in. @default "root" */
  readonly user?: string;
  /** Where sshd listens. @default 22 */
  readonly port?: number;
  /** Whether commands run with `sudo -n`. @default - true unless the user is root */
  readonly sudo?: boolean;
  /** Private key for all machines of the group. Kept as a secret. One of `privateKey` and `agentSocket` is needed. @default - none */
  readonly privateKey?: pulumi.Input<string>;
  /** Passphrase of `privateKey`. Kept as a secret. @default - none */
  readonly passphrase?: pulumi.Input<string>;
  /**
   * The private key that logged in until now, without a passphrase, to change `privateKey`. Kept as a secret. Machines that refuse `privateKey`
   * are logged in to by this one. `up` puts the new key beside it, with the same options in `authorized_keys`, proves it by a connection of its
   * own, and then takes this one off. Take it out of the program afterwards. @default - none
   */
  readonly previousKey?: pulumi.Input<string>;
  /** Socket of a running ssh-agent. @default - no agent */
  readonly agentSocket?: string;
  /**
   * A program that carries the connection to each machine, like OpenSSH's ProxyCommand: its name and arguments, one string each,
   * such as `["cloudflared", "access", "ssh", "--hostname", "%h"]`. `%h`, `%p` and `%r` are replaced by address, port and user.
   * It runs on the machine that runs Pulumi. Its arguments must not contain secrets. `firewall.ssh` must then name the address
   * that the hosts see: `127.0.0.1/32` if the program's other end runs on the host itself. Not together with `bastion`.
   * @default - direct connections
   */
  readonly proxyCommand?: readonly string[];
  /** Jump host for all of them. @default - direct connections */
  readonly bastion?: {
    /** Address or name for the SSH connection. */
    readonly address: string;
    /** Its public host key in authorized_keys form. */
    readonly hostKey: string;
    /** Who logs in. @default "root" */
    readonly user?: string;
    /** Where its sshd listens. @default 22 */
    readonly port?: number;
    /** Private key for the jump host. Kept as a secret. @default - the group's key */
    readonly privateKey?: pulumi.Input<string>;
  };
  /** Swarm node labels of all machines of the group. @default - none */
  readonly labels?: Readonly<Record<string, string>>;
}

const machineNames = {
  host: "address",
  hostname: "address",
  ip: "address",
  internalIp: "privateAddress",
  externalIp: "publicAddress",
  key: "hostKey",
};
const bastionNames = { host: "address", hostname: "address", ip: "address", key: "privateKey" };
const groupNames = {
  ...{ hosts: "machines", nodes: "machines", servers: "machines" },
  ...{ key: "privateKey", keyFile: "privateKey", identityFile: "privateKey", sshKey: "privateKey", oldKey: "previousKey", formerKey: "previousKey" },
  ...{ agent: "agentSocket", jumpHost: "bastion", proxyJump: "bastion", username: "user" },
};

const bastionOptions = options<NonNullable<ExistingHostsArgs["bastion"]>>(
  { of: "bastion", thing: "a host to hop over", example: "{ address, hostKey }", others: bastionNames },
  { address: text, hostKey: text, user: text, port: optional, privateKey: opaque },
);

export const existingMachineOptions = options<ExistingMachine>(
  { of: "a machine", thing: "a machine", example: '{ address: "192.0.2.10", hostKey: "ssh-ed25519 AAAA…" }', others: machineNames },
  { address: text, privateAddress: text, publicAddress: text, hostKey: text, user: text, port: optional, labels },
);

export const existingHostsOptions = options<ExistingHostsArgs>(
  {
    of: "existing hosts",
    thing: "machines that you have",
    example: 'existing.hosts({ role: "worker", privateKey, machines: { … } })',
    others: groupNames,
  },
  {
    role: required,
    machines: named(existingMachineOptions, "machines by name", '{ "rack-a": { address: "192.0.2.10", hostKey: "ssh-ed25519 AAAA…" } }'),
    site: text,
    network: text,
    mtu: optional,
    mtuOutside: optional,
    natAddress: text,
    user: text,
    port: optional,
    sudo: flag,
    privateKey: opaque,
    passphrase: opaque,
    previousKey: opaque,
    agentSocket: text,
    proxyCommand: optional,
    bastion: bastionOptions,
    labels,
  },
);
