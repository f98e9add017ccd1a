import * as pulumi from "@pulumi/pulumi";
import type { SwarmClusterArgs } from "../components/cluster/args";
import { optionProblems, planCluster } from "../components/cluster/plan";
import type { Problem } from "../components/report";
import { type Report, show } from "../components/report";
import type { ClusterArgs } from "./args";
import { richFirewall, richOverlay, richPolicy, richUnderlay } from "./choices";
import { type Load, richHosts } from "./hosts";
import { inFlatWords } from "./words";

export interface Rich {
  readonly args: SwarmClusterArgs;
  /** All that is wrong, with what the plan finds too where it could be made. */
  readonly problems: readonly Problem[];
}

/** The arguments of another language as those of the TypeScript package. Touches nothing. */
export function richArgs(flat: ClusterArgs, loadHosts?: Load): Rich {
  const problems: Problem[] = [];
  const report: Report = (path, message, fix) => void problems.push({ path, message, fix });
  reportLate(flat, "", report);
  // What is not known cannot be read at all.
  if (problems.length > 0) return { args: { hosts: {} }, problems };
  const given = withoutNull(flat) as ClusterArgs;
  const { hosts, overlay, underlay, firewall, policy, transform, ...same } = given as ClusterArgs & { readonly transform?: unknown };
  if (transform !== undefined) report("transform", "functions do not cross from one language to another", "leave it out");
  const args = {
    ...same,
    hosts: richHosts(hosts, report, loadHosts),
    ...(overlay !== undefined && { overlay: richOverlay(overlay, report) }),
    ...(underlay !== undefined && { underlay: richUnderlay(underlay, report) }),
    ...(firewall !== undefined && { firewall: richFirewall(firewall, report) }),
    ...(policy !== undefined && { policy: richPolicy(policy, report) }),
  } as SwarmClusterArgs;
  const planned = (isWhole(given, args) ? planCluster(args).problems : optionProblems(args)).map(inWords);
  return { args, problems: [...problems, ...planned] };
}

/** Without a group or an overlay that is meant, a plan would find what is not so. */
function isWhole(given: ClusterArgs, args: SwarmClusterArgs): boolean {
  const { hosts } = given as { readonly hosts?: unknown };
  const groups = typeof hosts === "object" && !Array.isArray(hosts) && Object.keys(hosts ?? {}).length === Object.keys(args.hosts).length;
  return groups && (["overlay", "underlay"] as const).every((choice) => given[choice] === undefined || args[choice] !== undefined);
}

function inWords({ path, message, fix }: Problem): Problem {
  return { path, message: inFlatWords(message), fix: inFlatWords(fix) };
}

/** Options whose value may come to be known only when something else was made. */
const leaves =
  /^hosts\.[^.]+\.(imageId|kmsKeyId|iamInstanceProfile|privateKey|passphrase|previousKey|bastion\.privateKey|tags\.[^.]+|hcloudLabels\.[^.]+|(vpc|privateNetwork)\.(id|cidr|subnetId)|vpc\.subnets\.[^.]+\.(id|cidr))$|^overlay\.peers\.[^.]+\.password$/;

/** The shape of the cluster has to be known at preview, wherever in the arguments an `Output` stands. */
function reportLate(value: unknown, path: string, report: Report): void {
  if (pulumi.Output.isInstance(value)) {
    if (!leaves.test(path)) report(path, `${show(value)}`, "write the value itself, or take it from the stack's configuration");
  } else if (typeof value === "object" && value !== null) {
    for (const [name, inner] of Object.entries(value)) reportLate(inner, path === "" ? name : `${path}.${name}`, report);
  }
}

/** Under these the user chooses the names: a name with nothing behind it was written for something. */
const named =
  /^(?:hosts|networks|policy|gateways|pins|overlay\/(?:peers|trunks)|firewall\/(?:expose|allow|rules)|hosts\/[^/]*\/(?:machines|each|vpc\/subnets|labels|tags|hcloudLabels)|networks\/[^/]*\/labels)$/;

/** Languages differ in how they say "not given": all of them mean the default. @param at The names on the way, with slashes between. */
function withoutNull(value: unknown, at = ""): unknown {
  if (Array.isArray(value)) return value.map((inner) => withoutNull(inner, at));
  if (typeof value !== "object" || value === null || pulumi.Output.isInstance(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      const nothing = inner === undefined || (inner === null && !named.test(at));
      return nothing ? [] : [[name, withoutNull(inner, at === "" ? name : `${at}/${name}`)]];
    }),
  );
}
