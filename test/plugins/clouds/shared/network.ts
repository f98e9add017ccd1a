import { network } from "../../../../tools/plugins/docker/network";
import type { Context } from "../../../../tools/plugins/shared/plugin";
import type { Cidr } from "../../../../components/addresses/cidr";
import type { Account } from "./account";
import type { Made } from "./kept";
import type { Outside } from "./outside";
import type { Stored } from "./store";

/** Docker networks that play an account's private ones, each with a way to the addresses outside. */
export class PrivateNetworks {
  constructor(
    private readonly account: Account,
    private readonly outside: Outside,
  ) {}

  name(id: string): string {
    return `${this.account.prefix}-${id}`;
  }

  /** Its first address is this machine, which is the router, too. @param bridge at most 15 characters, as all interfaces' names */
  async create(
    args: { readonly id: string; readonly bridge: string; readonly range: Cidr; readonly mtu?: number },
    context: Context,
  ): Promise<Played> {
    const { id, bridge, range, mtu } = args;
    const options = {
      "com.docker.network.bridge.name": bridge,
      ...(mtu !== undefined && { "com.docker.network.driver.mtu": String(mtu) }),
    };
    const ipamConfigs = [{ subnet: range.toString(), gateway: range.address(1) }];
    const made = await network.create({ name: this.name(id), driver: "bridge", ipamConfigs, options, labels: [this.account.label] }, context);
    await this.outside.open(bridge);
    return { network: made.id, bridge };
  }

  async delete({ id, played }: Stored, context: Context): Promise<void> {
    await network.delete(played?.["network"] ?? this.name(id), { name: this.name(id) }, context);
    await this.outside.close(played?.["bridge"] ?? "");
  }
}

type Played = NonNullable<Made["played"]>;
