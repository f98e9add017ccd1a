import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../../remote/connection";
import type { HostKeys } from "./keys";
import { loginUser } from "./user-data";

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

/** How scripts reach a host that was booted with our user data. */
export function connectionOf(host: pulumi.Input<string>, keys: pulumi.Output<HostKeys>, bastion?: Bastion): pulumi.Output<Connection> {
  return pulumi.secret(
    pulumi.all([host, keys, bastion?.privateKey]).apply(([address, { client, machine }, bastionKey]): Connection => ({
      host: address,
      user: loginUser,
      privateKey: client.privateKey,
      hostKey: machine.publicKey,
      ...(bastion && {
        bastion: {
          host: bastion.address,
          hostKey: bastion.hostKey,
          user: bastion.user ?? "root",
          port: bastion.port ?? 22,
          ...(bastionKey !== undefined && { privateKey: bastionKey }),
        },
      }),
    })),
  );
}
