import { type Finding, known, type SeenPart, upAgain } from "../../health";

/** Whether the nftables table is loaded on a host that keeps networks apart, as `status.sh` tells it. */
export interface Apart {
  readonly apart: boolean;
}

/** What a status says of hosts without it. @param overlay as the table and its unit are called */
export function notApart(overlay: "calico" | "flannel", seen: readonly SeenPart<Apart>[]): Finding[] {
  return known(seen)
    .filter(({ answer }) => !answer.apart)
    .map(({ key }) => ({
      kind: `${overlay}-apart`,
      severity: "broken",
      hosts: [key],
      text: `${key}: its nftables table pulumi_swarm_${overlay} is gone, so networks that should be isolated reach each other there`,
      detail: '"nft flush ruleset" removes it, as a reload of nftables.service may',
      fix: `run "systemctl restart pulumi-swarm-${overlay}-bridges" on ${key}, which loads it as planned; if that fails, ${upAgain}`,
      drift: true,
    }));
}

/** What the finding is, in a line. */
export function apartKind(overlay: "calico" | "flannel"): Readonly<Record<string, string>> {
  return {
    [`${overlay}-apart`]: "a host has no nftables table of the overlay loaded, so that networks that should be isolated reach each other there",
  };
}
