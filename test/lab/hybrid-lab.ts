import { join } from "node:path";
import { defaultImage, docker, type MachineKeys, machineKeys, startMachine } from "../../tools/lab/machines";
import { root, run } from "../../tools/lab/pulumi";
import { asRanges, scanTcp, scanUdp } from "../../tools/lab/scan";
import { forget } from "../plugins/clouds/install";
import { Account } from "../plugins/clouds/shared/account";
import { cidr, Outside } from "../plugins/clouds/shared/outside";

/** At neither cloud. Its network's first address is the outer machine. */
const own = { network: "10.234.32.0/24", address: "10.234.32.11", publicPool: "10.233.253.0/24" } as const;

/** Of one of documentation's networks: whoever comes from there comes from the Internet, and nobody else has it. */
const onlooker = "198.51.100.66";

/** What is at a third place beside the stand-ins for clouds, in an account of its own, so that it is found again. */
export class ThirdPlace {
  readonly keys: MachineKeys;
  readonly account: Account;
  readonly network = own.network;
  readonly privateAddress = own.address;
  publicAddress = "";
  private readonly outside: Outside;

  constructor(name: string) {
    this.keys = machineKeys(name);
    this.account = new Account(join(root, ".lab", "clouds", `${name}.json`));
    this.outside = new Outside(this.account);
  }

  /** Name of the container of the one machine that is there. */
  get machine(): string {
    return this.account.containerName("own");
  }

  async build(): Promise<void> {
    const network = this.account.containerName("net");
    const bridge = `${this.account.table}_own`;
    await docker("network", "create", "--label", this.label, "--subnet", own.network, "-o", `com.docker.network.bridge.name=${bridge}`, network);
    await this.outside.open(bridge);
    await startMachine({ name: this.machine, network, address: own.address, keys: this.keys, label: this.label });
    this.publicAddress = await this.outside.freeAddress(cidr(own.publicPool), () => []);
    await this.outside.translate(() => [{ inside: own.address, outside: this.publicAddress, bridge }]);
  }

  async remove(): Promise<void> {
    await this.forgetOnlooker();
    await forget(this.account);
  }

  /**
   * What a machine lets through for somebody on the Internet. Who asks stands right before it, since this machine would not keep
   * so many connections in mind as translation asks for, but comes with an address that is nobody's.
   */
  async look(machine: string): Promise<{ readonly tcp: string[]; readonly udp: string[] }> {
    const where = "{{range $name, $it := .NetworkSettings.Networks}}{{$name}} {{$it.IPAddress}} {{end}}";
    const [network = "", address = ""] = (await docker("inspect", "--format", where, machine)).split(" ");
    const scanner = `${machine}-onlooker`;
    await docker("run", "-d", "--name", scanner, "--label", this.label, "--network", network, "--cap-add", "NET_ADMIN", defaultImage, "sleep", "1h");
    try {
      const link = (await docker("inspect", "--format", where, scanner)).split(" ")[1] ?? "";
      await docker("exec", scanner, "ip", "address", "add", `${onlooker}/32`, "dev", "eth0");
      await docker("exec", scanner, "ip", "route", "add", `${address}/32`, "dev", "eth0", "src", onlooker);
      await this.leadBack(link);
      const target = { machine, address };
      return { tcp: asRanges(await scanTcp(scanner, target)), udp: asRanges(await scanUdp(scanner, target)) };
    } finally {
      await this.forgetOnlooker();
      await run("docker", ["rm", "-f", "-v", scanner]);
    }
  }

  /** Answers come by the machine's router, as those to the Internet do. */
  private async leadBack(link: string): Promise<void> {
    await run("ip", ["route", "replace", `${onlooker}/32`, "via", link]);
    const rules = [`ip saddr ${onlooker} notrack`, `ip daddr ${onlooker} notrack`];
    const table = `table ${this.untracked}`;
    const chain = `chain untracked {\ntype filter hook prerouting priority raw;\n${rules.join("\n")}\n}\n`;
    await run("nft", ["-f", "-"], { stdin: `${table}\ndelete ${table}\n${table} {\n${chain}}\n` });
  }

  private async forgetOnlooker(): Promise<void> {
    await run("ip", ["route", "del", `${onlooker}/32`]);
    await run("nft", ["delete", "table", ...this.untracked.split(" ")]);
  }

  private get untracked(): string {
    return `ip ${this.account.table}_internet`;
  }

  private get label(): string {
    const { label, value } = this.account.label;
    return `${label}=${value}`;
  }
}

/** Does some work while a table of nft's is gone from a machine, and puts it back. By its own nft: an older one may fail at a newer one's. */
export async function without<T>(machine: string, table: string, work: () => Promise<T>): Promise<T> {
  const content = await docker("exec", machine, "nft", "list", "table", ...table.split(" "));
  await docker("exec", machine, "nft", "delete", "table", ...table.split(" "));
  try {
    return await work();
  } finally {
    const back = await run("docker", ["exec", "-i", machine, "nft", "-f", "-"], { stdin: content });
    if (back.code !== 0) throw new Error(`the table ${table} of ${machine} is lost: ${back.stderr}`);
  }
}
