import { selects } from "../firewall/resolve";
import { selectorMeant } from "../firewall/meant";
import type { PlannedHost } from "../hosts/host";
import { nearestName } from "../nearest";
import { fewOf, type Report, show } from "../report";

/** What hosts can be named by. */
export interface HostNames {
  readonly hosts: readonly PlannedHost[];
  /** Keys of all groups. */
  readonly groups: readonly string[];
  /** Keys of all sites. */
  readonly sites: readonly string[];
}

type Kind = "group" | "host" | "site";

const byRole = ["members", "managers", "workers"] as const;

/** @returns the hosts that `on` names; none, with a report, where it names none. */
export function hostsOn(path: string, given: unknown, names: HostNames, report: Report): readonly PlannedHost[] {
  const [, kind, key = ""] = (typeof given === "string" && /^(group|host|site) (.+)$/.exec(given)) || [];
  if (kind === undefined) {
    const selector = byRole.find((each) => each === given);
    if (selector !== undefined) return chosen(path, selector, (host) => selects(selector, host), names, report);
    const meant = wholeMeant(given, names);
    const message = given === undefined ? "it is not said which hosts can reach it" : `${show(given)} does not name hosts of the cluster`;
    if (meant === undefined) report(path, message, 'write such as "group NAME", "host KEY", "site KEY", "workers" or "members"');
    else report(path, `${message}; did you mean "${meant}"?`, `write "${meant}"`);
    return [];
  }
  const known = keysOf(kind as Kind, names);
  if (known.includes(key)) {
    return chosen(path, given as string, (host) => ({ group: host.group, host: host.key, site: host.site })[kind as Kind] === key, names, report);
  }
  const near = nearestName(key, known);
  const meant = near === undefined ? wholeMeant(key, names) : `${kind} ${near}`;
  const fix = known.length === 0 ? 'write "members"' : `the ${kind}s are ${fewOf(known, 8)}`;
  report(
    path,
    `there is no ${kind} "${key}"${meant === undefined ? "" : `; did you mean "${meant}"?`}`,
    meant === undefined ? fix : `write "${meant}"`,
  );
  return [];
}

function keysOf(kind: Kind, { hosts, groups, sites }: HostNames): readonly string[] {
  return { group: groups, host: hosts.map(({ key }) => key), site: sites }[kind];
}

/** Of a key without the word before it. */
function wholeMeant(given: unknown, names: HostNames): string | undefined {
  if (typeof given !== "string") return undefined;
  const kind = (["group", "host", "site"] as const).find((each) => keysOf(each, names).includes(given.trim()));
  return kind === undefined ? selectorMeant(given, names.groups) : `${kind} ${given.trim()}`;
}

/** Hosts that the program keeps drained run no task. */
function chosen(
  path: string,
  selector: string,
  isChosen: (host: PlannedHost) => boolean,
  { hosts }: HostNames,
  report: Report,
): readonly PlannedHost[] {
  const all = hosts.filter(isChosen);
  const usable = all.filter(({ availability }) => availability !== "drain");
  if (all.length === 0) report(path, `"${selector}" has no hosts`, "name hosts that there are");
  else if (usable.length === 0)
    report(path, `all hosts of "${selector}" are drained by maintenance.drained, so none could run it`, "name other hosts too");
  return usable;
}
