import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../../remote/connection";
import type { HostKeys } from "./keys";
import { loginUser } from "./user-data";

/** A host to hop over on the way to others. */
export interface Bastion {
  readonly address: string;
  /** Public host key in authorized_keys form. */
  readonly hostKey: string;
  readonly privateKey: pulumi.Input<string>;
  /** @default "root" */
  readonly user?: string;
  /** @default 22 */
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
