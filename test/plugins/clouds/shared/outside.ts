import { Cidr, isCidr } from "../../../../components/addresses/cidr";
import type { Account } from "./account";
import { runProgram } from "./program";

/** An address of a cloud's Internet, translated one to one to a machine's: the machine itself never sees it. */
export interface PublicAddress {
  readonly outside: string;
  readonly inside: string;
  /** The bridge behind which the machine is. */
  readonly bridge: string;
}

export function cidr(text: string): Cidr {
  const parsed = Cidr.parse(text);
  if (!isCidr(parsed)) throw new Error(parsed.problem);
  return parsed;
}

/**
 * What plays the Internet between clouds. Docker lets nothing pass from one network to another; what was sent to an address outside
 * does, and is seen to come from the sender's own. By private addresses the networks stay apart.
 */
export class Outside {
  private last: Promise<void> = Promise.resolve();
  private shown: readonly PublicAddress[] = [];

  constructor(private readonly account: Account) {}

  /** Makes these the account's addresses, and no others. Several come at once. */
  translate(addresses: () => readonly PublicAddress[]): Promise<void> {
    const done = this.last.then(() => this.write(addresses()));
    this.last = done.catch(() => undefined);
    return done;
  }

  /**
   * An address of the pool that no account on this machine has. Each account begins to look elsewhere.
   * @param taken those that this one gave out
   */
  async freeAddress(pool: Cidr, taken: () => readonly unknown[]): Promise<string> {
    const inUse = new Set((await runProgram("nft", ["list", "ruleset", "ip"])).match(/\d+\.\d+\.\d+\.\d+/g));
    const places = Number(pool.size) - 2;
    const found = Array.from({ length: places }, (_, offset) => pool.address(((this.account.number + offset) % places) + 1)).find(
      (one) => !taken().includes(one) && !inUse.has(one),
    );
    if (found === undefined) throw new Error(`no address of ${pool} is free`);
    return found;
  }

  /** Lets through what comes to a network, or goes from it, by an address outside. */
  async open(bridge: string): Promise<void> {
    for (const rule of this.ways(bridge)) await runProgram("iptables", ["-w", "-I", "DOCKER-USER", ...rule]);
  }

  async close(bridge: string): Promise<void> {
    for (const rule of this.ways(bridge)) await runProgram("iptables", ["-w", "-D", "DOCKER-USER", ...rule]).catch(() => "");
  }

  private ways(bridge: string): readonly (readonly string[])[] {
    const translated = ["-m", "conntrack", "--ctstate", "DNAT", "-m", "comment", "--comment", this.account.table, "-j", "ACCEPT"];
    return [
      ["-i", bridge, ...translated],
      ["-o", bridge, ...translated],
    ];
  }

  /** One table for all addresses, made anew each time. */
  private async write(addresses: readonly PublicAddress[]): Promise<void> {
    const { table } = this.account;
    const inwards = `dnat to ip daddr map { ${addresses.map(({ outside, inside }) => `${outside} : ${inside}`).join(", ")} }`;
    const outwards = `snat to ip saddr map { ${addresses.map(({ outside, inside }) => `${inside} : ${outside}`).join(", ")} }`;
    const chains = [
      `add table ip ${table} {`,
      ` chain out { type nat hook output priority -110; ${inwards}; }`,
      ` chain in { type nat hook prerouting priority -110; ${inwards}; }`,
      ` chain back { type nat hook postrouting priority 90; ct status dnat ${outwards}; }`,
      "}",
    ];
    const ruleset = [`add table ip ${table}`, `delete table ip ${table}`, ...(addresses.length === 0 ? [] : chains)];
    await runProgram("nft", ["-f", "-"], ruleset.join("\n"));
    for (const { outside, bridge } of addresses) await runProgram("ip", ["route", "replace", `${outside}/32`, "dev", bridge]);
    const gone = this.shown.filter(({ outside }) => !addresses.some((one) => one.outside === outside));
    for (const { outside } of gone) await runProgram("ip", ["route", "del", `${outside}/32`]).catch(() => "");
    this.shown = addresses;
  }
}
