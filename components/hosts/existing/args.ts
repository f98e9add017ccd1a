import type * as pulumi from "@pulumi/pulumi";
import { flag, labels, named, opaque, optional, options, required, text } from "../../options";
import type { HostRole } from "../host";

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

const bastionOptions = options<NonNullable<ExistingHostsArgs["bastion"]>>(
  { of: "bastion", thing: "a host to hop over", example: "{ address, hostKey }" },
  { address: text, hostKey: text, user: text, port: optional, privateKey: opaque },
);

export const existingMachineOptions = options<ExistingMachine>(
  { of: "a machine", thing: "a machine", example: '{ address: "192.0.2.10", hostKey: "ssh-ed25519 AAAA…" }' },
  { address: text, privateAddress: text, publicAddress: text, hostKey: text, user: text, port: optional, labels },
);

export const existingHostsOptions = options<ExistingHostsArgs>(
  { of: "existing hosts", thing: "machines that you have", example: 'existing.hosts({ role: "worker", privateKey, machines: { … } })' },
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
    agentSocket: text,
    proxyCommand: optional,
    bastion: bastionOptions,
    labels,
  },
);
