import type * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../remote/connection";
import { opaque, optional, options, text } from "../options";

/** A host to hop over on the way to others. */
export interface Bastion {
  /** Address or name that is dialled for SSH. */
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
  { of: "bastion", thing: "a host to hop over", example: "{ address, hostKey, privateKey }" },
  { address: text, hostKey: text, privateKey: opaque, user: text, port: optional },
);
