import { docker, unlessGone } from "../../../../tools/plugins/docker/client";
import { number, requiredText, text, texts } from "../../../../tools/plugins/shared/properties";
import type { Props } from "../../../../tools/plugins/shared/values";
import type { Store, Stored } from "../shared/store";
import { runProgram } from "./program";

const table = "inet cl_security_groups";

/**
 * What security groups let pass, put before each instance. The table is in the instance's own network, where it filters before anything
 * else does: the kernel follows connections there, as EC2 does. It is gone after a reboot until the next change.
 */
export class Filter {
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly store: Store) {}

  /** Several rules change at once: whoever comes while a run waits is part of it. */
  private waiting: Promise<void> | undefined;

  apply(): Promise<void> {
    this.waiting ??= this.last.then(() => {
      this.waiting = undefined;
      this.last = this.applyAll().catch(() => undefined);
      return this.last;
    });
    return this.waiting;
  }

  private async applyAll(): Promise<void> {
    for (const instance of this.store.all("aws:ec2/instance:Instance")) {
      const face = this.store.find(requiredText(instance.properties, "primaryNetworkInterfaceId"));
      const machine = await unlessGone(
        docker()
          .getContainer(instance.played?.["container"] ?? "")
          .inspect(),
      );
      if (!face || !machine?.State.Running) continue;
      // By the machine's own nft: another version of it may crash on the tables that the machine has made for itself.
      await runProgram("nsenter", ["-t", String(machine.State.Pid), "-n", "-m", "nft", "-f", "-"], this.ruleset(face));
    }
  }

  private ruleset(face: Stored): string {
    const groups = texts(face.properties, "securityGroups") ?? [];
    const rules = this.store
      .all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
      .filter(({ properties }) => groups.includes(requiredText(properties, "securityGroupId")))
      .flatMap(({ properties }) => this.rule(properties));
    // Other interfaces are the host's own: its containers', its tunnel's.
    const chain = ['iifname != "eth0" accept', "ct state established,related accept", ...rules, "drop"];
    const content = `chain in {\ntype filter hook prerouting priority -190;\n${chain.join("\n")}\n}\n`;
    return `table ${table}\ndelete table ${table}\ntable ${table} {\n${content}}\n`;
  }

  private rule(rule: Props): string[] {
    const [ipv4, ipv6, group] = [text(rule, "cidrIpv4"), text(rule, "cidrIpv6"), text(rule, "referencedSecurityGroupId")];
    if (ipv4 !== undefined) return [`ip saddr ${ipv4} ${what(rule)} accept`];
    if (ipv6 !== undefined) return [`ip6 saddr ${ipv6} ${what(rule)} accept`];
    const members = this.store
      .all("aws:ec2/networkInterface:NetworkInterface")
      .filter(({ properties }) => (texts(properties, "securityGroups") ?? []).includes(group ?? ""))
      .map(({ properties }) => requiredText(properties, "privateIp"));
    return members.length === 0 ? [] : [`ip saddr { ${members.join(", ")} } ${what(rule)} accept`];
  }
}

function what(rule: Props): string {
  const [from, to] = [number(rule, "fromPort") ?? 0, number(rule, "toPort") ?? 0];
  const protocol = requiredText(rule, "ipProtocol");
  switch (protocol) {
    case "tcp":
    case "udp":
      return `${protocol} dport ${from}-${to}`;
    case "icmp":
    case "icmpv6":
      return `${protocol} type ${from}${to === -1 ? "" : ` ${protocol} code ${to}`}`;
    case "-1":
      return "";
    default:
      return `meta l4proto ${protocol}`;
  }
}
