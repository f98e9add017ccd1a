import { flag, record, requiredText, text, textTable } from "../../../../tools/plugins/shared/properties";
import type { Account } from "../shared/account";
import type { Kind } from "../shared/kept";
import { playing, removeMachine, stands, startMachine } from "../shared/machine";
import type { PrivateNetworks } from "../shared/network";
import type { Store } from "../shared/store";
import { images } from "./images";

const mostUserDataBytes = 16 * 1024;

/** A container that plays a machine: it has the interface's address, and boots with the user data by cloud-init. */
export function instance(store: Store, networks: PrivateNetworks, account: Account): Kind {
  return {
    id: "i",
    replaces: ["ami", "primaryNetworkInterface", "subnetId", "availabilityZone", "instanceMarketOptions"],
    async create(id, inputs, context) {
      const face = store.get(requiredText(record(inputs, "primaryNetworkInterface") ?? {}, "networkInterfaceId"), "InvalidNetworkInterfaceID");
      const user = store.all("aws:ec2/instance:Instance").find(({ properties }) => properties["primaryNetworkInterfaceId"] === face.id);
      if (user) throw new Error(`InvalidNetworkInterface.InUse: ${face.id} is currently in use by ${user.id}`);
      const subnet = store.get(requiredText(face.properties, "subnetId"), "InvalidSubnetID");
      const image = images.find((one) => one.id === inputs["ami"]);
      if (!image) throw new Error(`InvalidAMIID.NotFound: The image id '[${String(inputs["ami"])}]' does not exist`);
      const privateIp = requiredText(face.properties, "privateIp");
      const userData = text(inputs, "userData") ?? "";
      if (Buffer.byteLength(userData) > mostUserDataBytes) throw new Error("InvalidParameterValue: User data is limited to 16384 bytes");
      const machine = await startMachine(
        {
          id,
          name: textTable(inputs, "tags")?.["Name"] ?? id,
          hostname: `ip-${privateIp.replaceAll(".", "-")}`,
          image: image.container,
          network: networks.name(requiredText(subnet.properties, "vpcId")),
          address: privateIp,
          userData,
        },
        account,
        context,
      );
      return {
        outputs: { arn: `arn:aws:ec2:::instance/${id}`, instanceState: "running", privateIp, primaryNetworkInterfaceId: face.id },
        played: { container: machine },
      };
    },
    async update(before, inputs) {
      // Another type takes effect by a stop and a start.
      if (inputs["instanceType"] !== before.properties["instanceType"]) await playing(before).restart({ t: 30 });
      return {};
    },
    stands,
    async delete(stored) {
      const { id, properties } = stored;
      if (flag(properties, "disableApiTermination") && !flag(properties, "forceDestroy")) {
        throw new Error(
          `OperationNotPermitted: The instance '${id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
        );
      }
      await removeMachine(stored);
    },
  };
}
