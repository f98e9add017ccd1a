import { isOlder, versionNumbers } from "../../../engine/version";

/**
 * Published holes of etcd that break what this overlay promises: a host's certificate reads flannel's keys, writes its own subnet, and
 * does nothing else. Each branch has them fixed from these versions on; older branches are not fixed any more. On 3.5.16 test/lab/flannel
 * sees a transaction inside another one that reads and writes whatever it likes, and a compaction by whoever asks.
 */
export const etcdHoles = {
  names: ["CVE-2026-33343", "CVE-2026-33413", "CVE-2026-44283", "CVE-2026-73499"],
  fixedIn: ["3.5.33", "3.6.14", "3.7.1"],
} as const;

/** Whether etcd of this version, as an image's tag has it, is known to have these holes. Of a text that is no version nothing is said. */
export function hasHoles(version: string): boolean {
  const numbers = versionNumbers(version.replace(/^v/, ""));
  if (!numbers) return false;
  const fixes = etcdHoles.fixedIn.map((text) => versionNumbers(text) ?? []);
  const fix = fixes.find((each) => each[0] === numbers[0] && each[1] === numbers[1]);
  return isOlder(numbers, fix ?? fixes[0] ?? []);
}
