import { askOn } from "../../tools/lab/machines";
import { networkOf } from "../../tools/lab/namespace";
import { run } from "../../tools/lab/pulumi";

/** A VLAN on the user's switch, and the one machine on it. */
export interface SwitchMachine {
  readonly name: string;
  readonly vlan: number;
}

/**
 * A switch of the user's, and machines on it that are no containers: a machine of the lab with Open vSwitch, which is in no cluster. Cables
 * lead from it to hosts, and carry frames with the tags of their VLANs. This machine's kernel has no VLANs itself.
 */
export class TrunkSwitch {
  constructor(private readonly machine: string) {}

  on(script: string): Promise<string> {
    return askOn(this.machine, "sh", "-euc", script);
  }

  /** @returns when all machines hang on it, each in a network namespace of its name with the interface `eth0`. */
  async start(machines: readonly SwitchMachine[]): Promise<void> {
    await this.on(
      "command -v ovs-vsctl >/dev/null || { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y openvswitch-switch; } >/tmp/apt 2>&1",
    );
    await this.on(
      "systemctl start ovs-vswitchd; ovs-vsctl set Open_vSwitch . other_config:userspace-tso-enable=true; systemctl restart ovs-vswitchd; " +
        "ovs-vsctl --may-exist add-br users -- set bridge users datapath_type=netdev fail_mode=standalone",
    );
    for (const { name, vlan } of machines) {
      await this.on(
        `ip netns add ${name}; ip link add p-${name} type veth peer name eth0 netns ${name}; ip link set p-${name} up; ` +
          `ip netns exec ${name} ip link set lo up; ip netns exec ${name} ip link set eth0 up; ovs-vsctl add-port users p-${name} tag=${vlan}`,
      );
    }
  }

  /** A cable from the switch to a host's interface; a reboot of the host pulls it out. */
  async plug(host: string, link: string, cable: string, mtu = 1500): Promise<void> {
    const [here, there] = [await networkOf(this.machine), await networkOf(host)].map((file) => file.replace(/^\/proc\/(\d+)\/.*/, "$1"));
    await this.on(`ip link delete ${cable} 2>/dev/null || true`);
    const { code, stderr } = await run("ip", [
      "link",
      "add",
      cable,
      "mtu",
      String(mtu),
      "netns",
      here ?? "",
      "type",
      "veth",
      "peer",
      "name",
      link,
      "mtu",
      String(mtu),
      "netns",
      there ?? "",
    ]);
    if (code !== 0) throw new Error(stderr);
    // All VLANs, each with its tag.
    await this.on(`ip link set ${cable} up; ovs-vsctl --if-exists del-port users ${cable}; ovs-vsctl add-port users ${cable}`);
  }

  /** Gives a machine its only addresses, such as `10.98.0.65/19`. */
  async address(name: string, mtu: number, ...addresses: readonly string[]): Promise<void> {
    const all = addresses.map((address) => `ip netns exec ${name} ip address add ${address} dev eth0`);
    await this.on([`ip netns exec ${name} ip -4 address flush dev eth0`, `ip netns exec ${name} ip link set eth0 mtu ${mtu}`, ...all].join("; "));
  }

  in(name: string, command: string): Promise<string> {
    return this.on(`ip netns exec ${name} ${command}`);
  }

  /** Whether one of three packets is answered. @param options further ones of `ping` */
  async reaches(name: string, address: string, options = ""): Promise<boolean> {
    const said = await this.in(name, `ping -n -q -c 3 -i 0.2 -W 1 ${options} ${address} 2>&1 || true`);
    return !/ 0 received|rror|unreachable|too long/.test(said) && / received/.test(said);
  }
}
