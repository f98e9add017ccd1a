import type * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../remote/connection";
import { isLater, opaque, optional, options, text } from "../options";
import { hostKeyProblemOf } from "../remote/host-key";
import { addressProblem, bareAddress } from "./address";
import { userProblem } from "./user";
import type { Problem } from "../report";
import { keyProblem } from "./key";

/** A jump host on the way to other hosts. */
export interface Bastion {
  /** Address or name for the SSH connection. */
  readonly address: string;
  /** Public host key in authorized_keys form. */
  readonly hostKey: string;
  /** Key that logs in there. Kept as a secret. */
  readonly privateKey: pulumi.Input<string>;
  /** Who logs in there. @default "root" */
  readonly user?: string;
  /** Where its sshd listens. @default 22 */
  readonly port?: number;
}

/** The same as a connection has it. */
export function hopOver(
  { address, hostKey, user = "root", port = 22 }: Omit<Bastion, "privateKey">,
  privateKey: string | undefined,
): NonNullable<Connection["bastion"]> {
  return { host: address, hostKey, user, port, ...(privateKey !== undefined && { privateKey }) };
}

export const bastionOptions = options<Bastion>(
  {
    of: "bastion",
    thing: "a host to hop over",
    example: "{ address, hostKey, privateKey }",
    others: { host: "address", ip: "address", key: "privateKey" },
  },
  { address: text, hostKey: text, privateKey: opaque, user: text, port: optional },
);

/** What is wrong with it but for its key. */
export function checkBastion({ address, hostKey, user }: Omit<Bastion, "privateKey">): Problem[] {
  const problems = [
    addressProblem("bastion.address", address, { names: true, login: true }),
    hostKeyProblem("bastion.hostKey", hostKey, address),
    userProblem("bastion.user", user, [address]),
  ];
  return problems.filter((problem) => problem !== undefined);
}

/** The same of one that has a key of its own. */
export function checkBastionAndKey(bastion: Bastion): Problem[] {
  const { privateKey } = bastion;
  const missing = { path: "bastion.privateKey", message: "there is no way to log in", fix: "give the text of a private key" };
  const key = privateKey === undefined ? missing : isLater(privateKey) ? undefined : keyProblem("bastion.privateKey", privateKey);
  return [...checkBastion(bastion), ...(key ? [key] : [])];
}

/** What is wrong with the pinned key of a machine. */
export function hostKeyProblem(path: string, hostKey: string | undefined, address: string): Problem | undefined {
  const problem = hostKeyProblemOf(hostKey ?? "");
  if (problem === undefined) return undefined;
  const host = bareAddress(address) || "ADDRESS";
  const fetch = `take the line that "ssh-keyscan -t ed25519 ${host}" prints, without the address, after comparing it on the machine itself`;
  return { path, message: problem.message, fix: problem.fix ?? fetch };
}
