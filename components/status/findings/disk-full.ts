import type { Rule } from "../finding";
import type { Disk } from "../seen";

/** From here on somebody should make room, and from there on programs fail. */
const [tight, full] = [85, 95];
/** A large disk at 95 % has room for days. */
const enoughKilobytes = 5 * 1024 * 1024;
const tooFewKilobytes = 512 * 1024;

export const diskFull: Rule = {
  kind: "disk-full",
  summary: `a host's disk is ${tight} % full (warning) or ${full} % (broken): engines, etcd and images need room`,
  find: ({ looked }) =>
    looked.flatMap(({ key, system }) =>
      system.disks.filter(isTight).map((disk) => {
        const { folder, usedPercent, freeKilobytes, inodesPercent } = disk;
        const inodes = inodesPercent > usedPercent;
        const how = inodes ? `${inodesPercent} % of its inodes are used` : `${usedPercent} % are used, ${roomOf(freeKilobytes)} left`;
        return {
          severity: isFull(disk) ? ("broken" as const) : ("warning" as const),
          hosts: [key],
          text: `${key}: the disk with ${folder} is ${isFull(disk) ? "full, so engines and databases there fail" : "nearly full"}`,
          detail: how,
          fix: `make room on ${key}: "docker system df" and "du -xh --max-depth 2 ${folder}" say what takes it; "docker image prune" removes images that nothing uses`,
        };
      }),
    ),
};

function isTight({ usedPercent, inodesPercent, freeKilobytes }: Disk): boolean {
  return inodesPercent >= tight || freeKilobytes < tooFewKilobytes || (usedPercent >= tight && freeKilobytes < 2 * enoughKilobytes);
}

function isFull({ usedPercent, inodesPercent, freeKilobytes }: Disk): boolean {
  return inodesPercent >= full || (usedPercent >= full && freeKilobytes < enoughKilobytes);
}

function roomOf(kilobytes: number): string {
  return kilobytes < 1024 * 1024 ? `${Math.round(kilobytes / 1024)} MB` : `${(kilobytes / 1024 / 1024).toFixed(1)} GB`;
}
