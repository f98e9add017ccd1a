import type { EngineArgs } from "./args";
import { mixProblem, type NamedEngine, shortIndex } from "./known";
import type { Probe } from "./preflight";
import { sourceProblem } from "./source";
import { isOlder, versionNumbers, within } from "./version";

/** Another version of Docker for a host that has one. */
export interface Upgrade {
  /** What runs there. */
  readonly from: string;
  /** As the program asks for it: a prefix, such as `28.5`. */
  readonly to: string;
}

/** Whether an engine is of the version that is asked for. */
export function isVersion(version: string, wanted: string): boolean {
  return `${version}.`.startsWith(`${wanted}.`) || /^[+~-]/.test(version.startsWith(wanted) ? version.slice(wanted.length) : "");
}

/**
 * What is to be done to an engine, if anything.
 *
 * @param version Of what runs. Of a build without a version stamp (such as "library-import") nothing can be said, and it stays.
 */
export function upgradeOf(version: string, { version: wanted }: EngineArgs): Upgrade | undefined {
  if (wanted === undefined || versionNumbers(version) === undefined || isVersion(version, wanted)) return undefined;
  return { from: version, to: wanted };
}

/** Why an engine cannot be replaced from here, or must not. */
export function upgradeProblem({ from, to }: Upgrade, engine: EngineArgs, probe: Pick<Probe, "apt" | "dnf" | "distribution">): string | undefined {
  const { source, downgradeFrom } = engine;
  const differs = `its Docker is ${from} and engine.version asks for ${to}`;
  if (source === "present") return `${differs}, and engine.source is "present": upgrade it, or choose another source`;
  const unavailable = sourceProblem(engine, probe);
  if (unavailable !== undefined) return `${differs}, and ${unavailable.problem}: ${unavailable.fix ?? "upgrade it yourself"}`;
  if (!isDowngrade({ from, to }) || (downgradeFrom !== undefined && isVersion(from, downgradeFrom))) return undefined;
  return (
    `${differs}, which is older, and an older engine may not read what a newer one wrote: ` +
    `ask for a newer version; if you know that it can, set engine.downgradeFrom: "${(versionNumbers(from) ?? []).join(".")}"`
  );
}

export function isDowngrade({ from, to }: Upgrade): boolean {
  return isOlder(versionNumbers(to) ?? [], versionNumbers(from) ?? []);
}

/** What encrypted networks lose while engines are replaced one after the other. */
export type Meeting =
  | { readonly kind: "refused"; readonly message: string }
  /** There is no other way out of the version that is there. */
  | { readonly kind: "unavoidable"; readonly message: string };

/**
 * Old and new engines meet while the upgrade lasts.
 *
 * @param now Engines as they are.
 * @param then The same hosts as they will be.
 */
export function meetingProblem(now: readonly NamedEngine[], then: readonly NamedEngine[]): Meeting | undefined {
  const changed = then.filter(({ key, version }) => now.some((engine) => engine.key === key && engine.version !== version));
  const meeting = changed.length === 0 ? undefined : mixProblem([...now, ...changed.map(({ key, version }) => ({ key: `${key} then`, version }))]);
  if (!meeting) return undefined;
  const isShort = ({ version }: NamedEngine): boolean => within(version, shortIndex.ranges) === "all";
  const target = [...new Set(changed.map(({ version }) => version))].join(", ");
  return changed.some(isShort)
    ? {
        kind: "refused",
        message: `engines are replaced one after the other, and Docker ${target} carries nothing on encrypted networks to those that are still to come (${shortIndex.sources.join(", ")}). Fix: ${shortIndex.fix}`,
      }
    : {
        kind: "unavoidable",
        message: `until all hosts have Docker ${target}, encrypted networks carry nothing between those that have it and those that do not (${shortIndex.sources.join(", ")})`,
      };
}
