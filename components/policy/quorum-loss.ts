import type { Policy, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";
import { sitesThatTakeTheQuorum } from "../review/risks";
import { managersOf, quorumOf, quorumRisk } from "../topology/quorum";
import { failures } from "../report";
import { topologiesIn } from "../topology/of-resources";
import type { Topology } from "../topology/topology";
import { configOf } from "./config";
import { managerMachines } from "./machines";
import { Noted } from "./noted";

/** How many managers there must be, and where. */
export interface QuorumLossConfig {
  /** Fewest managers. @default 3 */
  readonly leastManagers?: number;
  /** Whether the swarm must survive the loss of any one site, if its hosts are on several. @default true */
  readonly survivesSites?: boolean;
}

/**
 * What is wrong with the managers of a cluster.
 *
 * @param anew how many of their machines one update makes anew, as far as can be seen
 */
export function quorumProblems(topology: Topology, anew: number, { leastManagers = 3, survivesSites = true }: QuorumLossConfig): string[] {
  const managers = managersOf(topology).length;
  const { majority, mayFail } = quorumOf(managers);
  const problems: string[] = [];
  const say = (wrong: string, fix: string): void => void problems.push(`The swarm "${topology.cluster}" ${wrong}. Fix: ${fix}.`);
  if (managers < leastManagers) {
    const fix = `have ${leastManagers}, or lower "leastManagers" in the configuration of the policy quorum-loss`;
    say(`has ${managers} of at least ${leastManagers} managers: it tolerates ${failures(mayFail)}`, fix);
  }
  if (managers % 2 === 0) {
    say(
      `has ${managers} managers, an even number: it tolerates ${failures(mayFail)}, like ${managers - 1}`,
      `take ${managers - 1} or ${managers + 1}`,
    );
  }
  if (survivesSites && mayFail > 0) {
    for (const site of sitesThatTakeTheQuorum(topology)) {
      const fix = `put no more than ${mayFail} on a site, over three sites at least, or set "survivesSites": false in the configuration of the policy quorum-loss`;
      say(`loses its majority with the site "${site}": fewer than ${majority} of ${managers} managers are elsewhere`, fix);
    }
  }
  if (anew > 1 && quorumRisk(managers, anew)) {
    const once = `replaces the machines of ${anew} of its ${managers} managers in one update, and may be without its majority of ${majority} meanwhile`;
    say(once, `replace ${Math.max(1, mayFail)} in each update`);
  }
  return problems;
}

export function quorumLossPolicy(): ResourceValidationPolicy & StackValidationPolicy {
  const noted = new Noted();
  const policy = {
    name: "quorum-loss",
    description: "A swarm has managers enough, and so placed, that it goes on taking changes when one of them or a site is lost.",
    configSchema: {
      properties: {
        leastManagers: { type: "integer", minimum: 1, maximum: 7, default: 3, description: "Fewest managers of a swarm." },
        survivesSites: { type: "boolean", default: true, description: "Whether it must survive the loss of any one of several sites." },
      },
    },
  } satisfies Policy;
  return {
    ...policy,
    validateResource: (args) => noted.note(args),
    validateStack: (args, report) => {
      const config = configOf<QuorumLossConfig>(policy, args);
      const machines = managerMachines(args.resources, noted);
      for (const { urn, topology } of topologiesIn(noted.among(args.resources))) {
        // The pieces of a cluster that are used alone have hosts, and no managers.
        if (noted.get(urn)?.type !== "pulumi-swarm:index:SwarmCluster") continue;
        const anew = machines.filter((machine) => machine.cluster === urn && machine.anew).length;
        for (const message of quorumProblems(topology, anew, config)) report(message, urn);
      }
    },
  };
}
