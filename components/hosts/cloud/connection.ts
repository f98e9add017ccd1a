import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../../remote/connection";
import { type Bastion, hopOver } from "../bastion";
import type { HostKeys } from "./keys";
import { loginUser } from "./user-data";

/** How scripts reach a host that was booted with our user data. */
export function connectionOf(host: pulumi.Input<string>, keys: pulumi.Output<HostKeys>, bastion?: Bastion): pulumi.Output<Connection> {
  return pulumi.secret(
    pulumi.all([host, keys, bastion?.privateKey]).apply(([address, { login, former, machine }, bastionKey]): Connection => ({
      host: address,
      user: loginUser,
      privateKey: login.privateKey,
      ...(former.length > 0 && { formerKeys: former.map(({ privateKey }) => privateKey) }),
      hostKey: machine.publicKey,
      ...(bastion && { bastion: hopOver(bastion, bastionKey) }),
    })),
  );
}
