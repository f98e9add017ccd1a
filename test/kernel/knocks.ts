import assert from "node:assert/strict";
import { join } from "node:path";
import type { ClusterPlan } from "../../components/cluster/planned";
import { type Background, startIn } from "../../tools/lab/namespace";
import { root } from "../../tools/lab/pulumi";
import type { Onlooker, Sites } from "../../tools/lab/sites";
import { openTo } from "../lab/looks";
import { published } from "./shop";

/** What an open host would show: a refusal is an answer, so nobody has to listen there. Those of UDP are refused as long as nobody does. */
const doors = [
  ...[22, 80, 111, 2375, 2376, 2377, 4789, 7946, published.edge, published.nowhere, 51820].map((port) => `tcp/${port}`),
  ...[111, 4789, 7946].map((port) => `udp/${port}`),
];

/** Milliseconds since the first knock. */
interface Answers {
  readonly first: number;
  readonly last: number;
  readonly refused: number;
  readonly open: number;
}

type Heard = Readonly<Record<string, Readonly<Record<string, Answers>>>>;

const talk = join(root, "tools", "lab", "talk.js");
const onlookers: readonly Onlooker[] = ["outsider", "admin"];
const otherThan = (who: Onlooker): Onlooker => (who === "admin" ? "outsider" : "admin");
const site = "rack";

/** An outsider and an admin, who knock on telling ports of all hosts once a second, whatever state these are in. */
export class Knocks {
  private constructor(
    private readonly sites: Sites,
    private readonly knocking: ReadonlyMap<Onlooker, Background>,
  ) {}

  static async begin(sites: Sites): Promise<Knocks> {
    const begun = onlookers.map(async (who): Promise<[Onlooker, Background]> => {
      const addresses = [...sites.hosts.map(({ address }) => address), sites.onlookerAddress(otherThan(who), site)];
      const network = await sites.network(who);
      return [who, await startIn(network, /ready/, process.execPath, talk, "knock", addresses.join(","), ...doors)];
    });
    return new Knocks(sites, new Map(await Promise.all(begun)));
  }

  /** @returns what each heard from each host, in a line; fails where it is not what the plan says */
  async end(plan: ClusterPlan): Promise<string[]> {
    const lines = [...this.knocking].map(async ([who, background]) => {
      const heard = JSON.parse((await background.stop()).replace("ready\n", "")) as Heard;
      const other = this.sites.onlookerAddress(otherThan(who), site);
      assert.deepEqual(Object.keys(heard[other] ?? {}).sort(), [...doors].sort(), "one without a firewall answers at each of them");
      return this.sites.hosts.map(({ name, address }) => {
        const planned = openTo(who, this.sites, plan)[name];
        assert.ok(planned, name);
        const answers = heard[address] ?? {};
        const open = doors.filter((door) => planned[door.startsWith("tcp") ? "tcp" : "udp"].includes(door.slice("tcp/".length)));
        const told = `${name} to an ${who}: ${show(answers)}`;
        assert.deepEqual(Object.keys(answers).sort(), open.sort(), `planned: ${open.join(", ")}; ${told}`);
        return told;
      });
    });
    return (await Promise.all(lines)).flat();
  }
}

function show(answers: Heard[string]): string {
  const seconds = (time: number): string => (time / 1000).toFixed(0);
  const each = Object.entries(answers).map(
    ([door, { first, last, refused, open }]) => `${door} open ${open}, refused ${refused}, from ${seconds(first)} to ${seconds(last)} s`,
  );
  return each.length === 0 ? "nothing" : each.join("; ");
}
