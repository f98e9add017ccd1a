import { behaviour } from "../../../../components/hosts/aws/behaviour";
import { record, requiredText, text, textTable } from "../../../../tools/plugins/shared/properties";
import type { Props } from "../../../../tools/plugins/shared/values";
import type { Account } from "../shared/account";
import type { Kind } from "../shared/kept";
import { playing, removeMachine, stands, startMachine } from "../shared/machine";
import type { PrivateNetworks } from "../shared/network";
import type { Store } from "../shared/store";
import { images } from "./images";

const { userDataBytes } = behaviour["aws:ec2/instance:Instance"].quotas;

/** A container that plays a machine: it has the interface's address, and boots with the user data by cloud-init. */
export function instance(store: Store, networks: PrivateNetworks, account: Account): Kind {
  return {
    id: "i",
    async create(id, inputs, context) {
      const face = store.get(requiredText(record(inputs, "primaryNetworkInterface") ?? {}, "networkInterfaceId"), "InvalidNetworkInterfaceID");
      const user = store.all("aws:ec2/instance:Instance").find(({ properties }) => properties["primaryNetworkInterfaceId"] === face.id);
      if (user) throw new Error(`InvalidNetworkInterface.InUse: ${face.id} is currently in use by ${user.id}`);
      const subnet = store.get(requiredText(face.properties, "subnetId"), "InvalidSubnetID");
      const image = images.find((one) => one.id === inputs["ami"]);
      if (!image) throw new Error(`InvalidAMIID.NotFound: The image id '[${String(inputs["ami"])}]' does not exist`);
      const privateIp = requiredText(face.properties, "privateIp");
      const key = record(inputs, "rootBlockDevice")?.["kmsKeyId"];
      if (typeof key === "string" && !key.startsWith("arn:"))
        throw new Error(
          `rootBlockDevice.kmsKeyId: ${key} is read back as ${behaviour["aws:ec2/instance:Instance"].properties["rootBlockDevice.kmsKeyId"].readBack}`,
        );
      const userData = text(inputs, "userData") ?? "";
      if (Buffer.byteLength(userData) > userDataBytes.most)
        throw new Error(`InvalidParameterValue: User data is limited to ${userDataBytes.most} bytes`);
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
    async update(before, inputs, changes) {
      if (changes.some(({ effect }) => effect === "stops")) {
        if (isSpot(before.properties))
          throw new Error(
            `UnsupportedOperation: You can't stop the Spot Instance '${before.id}' because it is associated with a one-time Spot Instance request.`,
          );
        if (architectureOf(inputs) !== architectureOf(before.properties)) throw new Error("InvalidParameterValue: The architecture does not match");
        await playing(before).restart({ t: 30 });
      }
      return {};
    },
    stands,
    delete: removeMachine,
  };
}

function isSpot(inputs: Props): boolean {
  return record(inputs, "instanceMarketOptions")?.["marketType"] === "spot";
}

function architectureOf(inputs: Props): string {
  return /^(a1|[a-z]+\d+g[a-z]*)\./.test(text(inputs, "instanceType") ?? "") ? "arm64" : "x86_64";
}
