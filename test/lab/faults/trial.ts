import assert from "node:assert/strict";
import { docker } from "../../../tools/lab/machines";
import type { CommandResult } from "../../../tools/lab/pulumi";
import { type FaultCluster, keyOf, managers, type Name, workers } from "./cluster";
import type { Choices } from "./random";

/** What befalls the cluster, and what the user then does. The oracle looks when it has ended. */
export interface FaultCase {
  readonly title: string;
  /** Played in `npm test` too. */
  readonly quick?: true;
  play(trial: Trial): Promise<void>;
}

/** One playing of a case: what it chose, what it did to whom, and the words in which cases are told. */
export class Trial {
  /** Hosts to which something was done, whose containers may have been away. */
  readonly touched = new Set<Name>();
  /** Hosts that are other members than before. */
  readonly renewed = new Set<Name>();
  /** Networks that were lost, and are made anew. */
  readonly replacedNetworks = new Set<string>();
  /** Where the swarm itself is another one. */
  everythingIsNew = false;
  /** What to do whatever comes, such as to bring a host back that was cut off. */
  private readonly undoings: (() => Promise<unknown>)[] = [];

  constructor(
    readonly cluster: FaultCluster,
    readonly choices: Choices,
    readonly note: (what: string) => void,
  ) {}

  /** A host of the cluster to which the case does something. */
  victim(among: readonly Name[] = this.cluster.members): Name {
    const chosen = this.choices.pick(among);
    this.touch(chosen);
    return chosen;
  }

  manager(): Name {
    return this.victim(managers);
  }

  worker(): Name {
    return this.victim(workers);
  }

  touch(...hosts: readonly Name[]): void {
    for (const host of hosts) this.touched.add(host);
    this.note(hosts.map(keyOf).join(", "));
  }

  /** What may be another one than before, as the oracle calls it. */
  get excused(): ReadonlySet<string> {
    return new Set([...[...this.renewed].map((name) => `node ${keyOf(name)}`), ...[...this.replacedNetworks].map((name) => `network ${name}`)]);
  }

  on(name: Name, command: string): Promise<string> {
    return this.cluster.on(name, command);
  }

  finally(undo: () => Promise<unknown>): void {
    this.undoings.push(undo);
  }

  async undo(): Promise<void> {
    for (const undo of this.undoings.splice(0).reverse()) await undo();
  }

  up(...more: readonly string[]): Promise<string> {
    return this.cluster.up(...more);
  }

  /** As a user does who suspects that hosts are not as they should be. */
  recheck(): Promise<string> {
    this.cluster.lookAgain();
    return this.up();
  }

  /** An `up` that ends with an error which says all of this. */
  async fails(...says: readonly RegExp[]): Promise<string> {
    const result = await this.cluster.run();
    const said = result.stdout + result.stderr;
    assert.notEqual(result.code, 0, `up should have failed:\n${said}`);
    for (const each of says) assert.match(said, each);
    return said;
  }

  /** An `up` that ends with an error before it did anything to any host. */
  async refused(...says: readonly RegExp[]): Promise<string> {
    const before = await this.cluster.fingerprints();
    const said = await this.fails(...says);
    assert.deepEqual(await this.cluster.fingerprints(), before, "a refused run changed something");
    return said;
  }

  /** An `up` that leaves one host alone, says why, and does not touch it. */
  async refusedOn(name: Name, ...says: readonly RegExp[]): Promise<string> {
    const key = keyOf(name);
    const before = (await this.cluster.fingerprints())[key];
    const said = await this.fails(...says);
    assert.equal((await this.cluster.fingerprints())[key], before, `${key} was changed`);
    return said;
  }

  /** An `up` whose machine loses power when it prints this, as far as it does; and what Pulumi then asks of its user. */
  async killed(sign: RegExp): Promise<CommandResult> {
    const result = await this.cluster.run({ killWhen: (output) => sign.test(output) });
    assert.equal(result.code, 137, `it was to be killed at ${sign}; it printed ${result.stdout}${result.stderr}`);
    await this.cluster.lab.stack.cancel();
    return result;
  }

  /** An `up` in whose midst something happens, when it prints this. */
  async during(sign: RegExp, happening: () => Promise<unknown>): Promise<CommandResult> {
    let happened: Promise<unknown> | undefined;
    const result = await this.cluster.run({
      killWhen: (output) => {
        if (sign.test(output)) happened ??= happening();
        return false;
      },
    });
    assert.ok(happened, `it never printed ${sign}: ${result.stdout}${result.stderr}`);
    await happened;
    return result;
  }

  /** What a run left undone, the next one does. */
  async finish(result: CommandResult): Promise<void> {
    this.note(result.code === 0 ? "the run went on" : "the run failed");
    if (result.code !== 0) await this.recheck();
  }

  async freeze(name: Name): Promise<() => Promise<unknown>> {
    const machine = this.cluster.machine(name);
    await docker("pause", machine);
    let frozen = true;
    const thaw = async (): Promise<void> => {
      if (frozen) await docker("unpause", machine);
      frozen = false;
    };
    this.finally(thaw);
    return thaw;
  }

  async powerOff(name: Name): Promise<() => Promise<unknown>> {
    const machine = this.cluster.machine(name);
    await docker("kill", machine);
    const back = async (): Promise<void> => {
      await docker("start", machine);
      await this.cluster.sites.ready(name);
    };
    this.finally(back);
    return back;
  }

  /** Drops what a host gets, by a table beside all others. @returns what ends it */
  async cut(name: Name, what: "ssh" | "members" | "everything"): Promise<() => Promise<unknown>> {
    const gateway = this.cluster.sites.onlookerAddress("admin", "rack").replace(/\d+$/, "1");
    const rules = {
      ssh: ["tcp dport 22 drop"],
      members: [`ip saddr != ${gateway} iifname "eth0" drop`],
      everything: [`iifname "eth0" drop`],
    }[what];
    await this.load(name, "lab_cut", ["chain first {", "type filter hook prerouting priority -400", ...rules, "}"]);
    const heal = (): Promise<unknown> => this.on(name, "nft delete table inet lab_cut 2>/dev/null || true");
    this.finally(heal);
    return heal;
  }

  /** Rules of nftables, a line each, in a table beside all others. */
  load(name: Name, table: string, lines: readonly string[]): Promise<unknown> {
    return this.on(name, `nft -f - <<'END'\ntable inet ${table} {\n${lines.join("\n")}\n}\nEND`);
  }
}
