import { container } from "../../../../tools/plugins/docker/container";
import { docker, unlessGone } from "../../../../tools/plugins/docker/client";
import { flag, record, requiredText, text, textTable } from "../../../../tools/plugins/shared/properties";
import type { Props } from "../../../../tools/plugins/shared/values";
import type { Kind } from "../shared/kept";
import type { Store, Stored } from "../shared/store";
import { images } from "./images";
import { networkName } from "./network";

const mostUserDataBytes = 16 * 1024;

/** A container that plays a machine: it has the interface's address, and boots with the user data by cloud-init. */
export function instance(store: Store): Kind {
  return {
    prefix: "i",
    replaces: ["ami", "primaryNetworkInterface", "subnetId", "availabilityZone", "instanceMarketOptions"],
    async create(id, inputs, context) {
      const face = store.get(requiredText(record(inputs, "primaryNetworkInterface") ?? {}, "networkInterfaceId"), "InvalidNetworkInterfaceID");
      const user = store.all("aws:ec2/instance:Instance").find(({ properties }) => properties["primaryNetworkInterfaceId"] === face.id);
      if (user) throw new Error(`InvalidNetworkInterface.InUse: ${face.id} is currently in use by ${user.id}`);
      const subnet = store.get(requiredText(face.properties, "subnetId"), "InvalidSubnetID");
      const image = images.find((one) => one.id === inputs["ami"]);
      if (!image) throw new Error(`InvalidAMIID.NotFound: The image id '[${String(inputs["ami"])}]' does not exist`);
      const privateIp = requiredText(face.properties, "privateIp");
      const { id: machine } = await container.create(await machineOf(id, inputs, image.container, privateIp, subnet), context);
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
    async stands(stored) {
      return (await unlessGone(playing(stored).inspect())) !== undefined;
    },
    async delete(stored) {
      const { id, properties } = stored;
      if (flag(properties, "disableApiTermination") && !flag(properties, "forceDestroy")) {
        throw new Error(
          `OperationNotPermitted: The instance '${id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
        );
      }
      await unlessGone(playing(stored).remove({ force: true, v: true }));
    },
  };
}

function playing({ id, played }: Stored): ReturnType<ReturnType<typeof docker>["getContainer"]> {
  return docker().getContainer(played?.["container"] ?? id);
}

async function machineOf(id: string, inputs: Props, image: string, address: string, subnet: Stored): Promise<Props> {
  const userData = text(inputs, "userData") ?? "";
  if (Buffer.byteLength(userData) > mostUserDataBytes) throw new Error("InvalidParameterValue: User data is limited to 16384 bytes");
  const metaData = JSON.stringify({ "instance-id": id, "local-hostname": `ip-${address.replaceAll(".", "-")}` });
  return {
    name: await freeName(textTable(inputs, "tags")?.["Name"] ?? id, id),
    image,
    networksAdvanced: [{ name: networkName(requiredText(subnet.properties, "vpcId")), ipv4Address: address }],
    // As the package's local hosts have them.
    capabilities: { adds: ["ALL"], drops: ["CAP_SYS_RESOURCE"] },
    securityOpts: ["seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"],
    cgroupnsMode: "private",
    stopSignal: "SIGRTMIN+3",
    envs: ["container=docker"],
    tmpfs: { "/run": "", "/run/lock": "" },
    volumes: [{ containerPath: "/var/lib/docker" }],
    devices: [{ hostPath: "/dev/net/tun", containerPath: "/dev/net/tun", permissions: "rwm" }],
    restart: "unless-stopped",
    uploads: [
      { file: "/var/lib/cloud/seed/nocloud/user-data", content: userData, permissions: "0600" },
      { file: "/var/lib/cloud/seed/nocloud/meta-data", content: metaData, permissions: "0600" },
      // Docker has set up the container's network, and there is no server of metadata here.
      { file: "/etc/cloud/cloud.cfg.d/99-lab.cfg", content: "network: { config: disabled }\ndatasource_list: [NoCloud]\n", permissions: "0644" },
    ],
  };
}

/** Docker's names are unique, EC2's are not. */
async function freeName(name: string, id: string): Promise<string> {
  const taken = await unlessGone(docker().getContainer(name).inspect());
  return taken === undefined ? name : `${name}-${id}`;
}
