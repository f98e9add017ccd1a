import { isHostSelector, selects } from "../../../firewall/resolve";
import { Sources } from "../../../firewall/sources";
import { nearestName } from "../../../nearest";
import { fewOf, isNot, type Problem, type Report, show } from "../../../report";
import { rangeOf } from "../../ranges";
import type { PlannedTrunk, TrunksContext, TrunksPlan } from "../../trunks";
import type { OpenvswitchTrunkArgs } from "./args";
import type { TrunkSettings } from "./on-host";

type Given = Readonly<Record<string, OpenvswitchTrunkArgs>>;

/** All VLANs of the user's switches that networks are tied to, and what is wrong with them. */
export function planTrunks(given: Given, context: TrunksContext): TrunksPlan {
  const problems: Problem[] = [];
  const report: Report = (path, message, fix) => void problems.push({ path, message, fix });
  const seen = new Map<string, string>();
  const trunks = Object.entries(given).flatMap(([name, args]) => {
    // Told with the options.
    if (typeof args !== "object" || (args as unknown) === null) return [];
    const trunk = planTrunk(name, args, context, report);
    checkAlone(trunk, seen, report);
    return trunk.on === "" || trunk.addresses === "" ? [] : [trunk];
  });
  const settings = trunks.map(({ name, interface: link, vlan, network, on }): TrunkSettings => ({ name, interface: link, vlan, network, on }));
  const { outside } = context;
  return {
    trunks,
    settings: outside === undefined || settings.length === 0 ? {} : { trunks: { place: outside, all: settings } },
    problems,
    warnings: [],
  };
}

function planTrunk(name: string, args: OpenvswitchTrunkArgs, context: TrunksContext, report: Report): PlannedTrunk {
  const path = `overlay.trunks.${name}`;
  if (!/^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name)) {
    report(path, `"${name}" cannot name a trunk`, "use up to 32 lower-case letters, digits and dashes, a letter first");
  }
  checkInterface(`${path}.interface`, args.interface, report);
  checkVlan(`${path}.vlan`, args.vlan, report);
  checkNetwork(`${path}.network`, args.network, context, report);
  const on = checkHost(`${path}.on`, args.on, context, report);
  const subnet = context.networks.find((network) => network.name === args.network)?.subnet;
  const addresses = subnet === undefined || context.outside === undefined ? "" : rangeOf(subnet, context.outside, context.places).toString();
  const { network, vlan, interface: link } = args;
  return { name, network, subnet: subnet ?? "", addresses, vlan, on: on ?? "", interface: link, mtu: context.mtu };
}

/** Two ways from one network into one VLAN are a ring, and one VLAN in two networks would join what is apart. */
function checkAlone({ name, network, on, interface: link, vlan }: PlannedTrunk, seen: Map<string, string>, report: Report): void {
  const path = `overlay.trunks.${name}`;
  const twice = (key: string, at: string, message: (other: string) => string, fix: string): void => {
    const other = seen.get(key);
    if (other !== undefined) report(at, message(other), fix);
    seen.set(key, name);
  };
  twice(
    `network ${show(network)}`,
    `${path}.network`,
    (other) => `${show(network)} is the network of the trunk ${other} too, and frames could go round between the two`,
    "keep one of them, and let your switch connect the machines",
  );
  if (on === "") return;
  twice(
    `vlan ${on} ${show(link)} ${show(vlan)}`,
    `${path}.vlan`,
    (other) => `VLAN ${show(vlan)} of ${show(link)} on ${on} is that of the trunk ${other} too, and networks would no longer be apart`,
    "give each its own VLAN",
  );
}

function checkInterface(path: string, given: unknown, report: Report): void {
  const usual = 'give the name that "ip link" shows on the host, such as "eth1"';
  if (typeof given !== "string" || !/^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/.test(given)) {
    return report(path, isNot(given, "the name of a network interface"), usual);
  }
  const [, parent, tag] = /^(.+)\.(\d+)$/.exec(given) ?? [];
  if (parent !== undefined) {
    return report(
      path,
      `${given} is a VLAN of ${parent}, as its name says`,
      `write interface: "${parent}" and the number in vlan, such as vlan: ${Number(tag)}`,
    );
  }
  if (given === "lo" || /^(?:docker|veth|br-[0-9a-f]{12}$|ov[a-z]-|ovs-)/.test(given)) {
    report(path, `${given} is not connected to a switch: it is a link within the host`, usual);
  }
}

function checkVlan(path: string, given: unknown, report: Report): void {
  if (typeof given === "number" && Number.isInteger(given) && given >= 1 && given <= 4094) return;
  const meant = typeof given === "string" && /^\d{1,4}$/.test(given) ? Number(given) : 0;
  const usable = meant >= 1 && meant <= 4094;
  report(
    path,
    isNot(given, "the number of a VLAN"),
    usable ? `write ${meant}` : "give a whole number from 1 to 4094, and let the switch send that VLAN with its tag",
  );
}

function checkNetwork(path: string, given: unknown, { networkNames: known }: TrunksContext, report: Report): void {
  if (typeof given === "string" && known.includes(given)) return;
  const near = typeof given === "string" ? nearestName(given, known) : undefined;
  const all = known.length === 0 ? "make a network first, in networks" : `the networks are ${fewOf(known, 8)}`;
  const message =
    given === undefined ? "a network is missing" : `there is no network ${show(given)}${near === undefined ? "" : `; did you mean "${near}"?`}`;
  report(path, message, near === undefined ? all : `write "${near}"`);
}

/** @returns the key of the one host. */
function checkHost(path: string, given: unknown, context: TrunksContext, report: Report): string | undefined {
  const found = oneHost(path, given, context, report);
  const group = context.groups.find(({ key }) => key === found?.group);
  if (found && group?.noContainerRoutes !== undefined) {
    report(path, `${found.key} cannot be connected to a switch of yours for containers: ${group.noContainerRoutes}`, "name a host that is");
  }
  return found?.key;
}

function oneHost(path: string, given: unknown, { hosts, groups }: TrunksContext, report: Report): TrunksContext["hosts"][number] | undefined {
  const keys = hosts.map(({ key }) => key);
  const [only] = hosts;
  if (given === undefined) {
    if (hosts.length === 1) return only;
    report(path, "it is not said which host is connected to the switch, and more than one would make a ring", `name one of ${fewOf(keys, 5)}`);
    return undefined;
  }
  const named = hosts.find(({ key }) => key === given);
  if (named) return named;
  if (typeof given === "string" && isHostSelector(given)) {
    let known = true;
    const selector = new Sources(groups, (...problem) => {
      known = false;
      report(...problem);
    }).selector(path, given);
    if (!known) return undefined;
    const chosen = hosts.filter((host) => selects(selector, host));
    if (chosen.length === 1) return chosen[0];
    const some = chosen.length === 0 ? "no host" : `${chosen.length} hosts`;
    report(path, `"${given}" is ${some}, and exactly one is connected to the switch: more would make a ring`, `name one of ${fewOf(keys, 5)}`);
    return undefined;
  }
  const near = typeof given === "string" ? nearestName(given, keys) : undefined;
  report(
    path,
    `there is no host ${show(given)}${near === undefined ? "" : `; did you mean "${near}"?`}`,
    near === undefined ? `name one of ${fewOf(keys, 5)}` : `write "${near}"`,
  );
  return undefined;
}
