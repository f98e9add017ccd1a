import { nameIn } from "../topology/of-resources";
import { type ClusterChange, type Finding, list, text, words } from "./findings";
import { unknown } from "./read";

/** What nobody can know from the preview, so that nobody takes its silence for an answer. */
export function unknownFindings({ cluster, steps, before, after, unseenSettings, partial }: ClusterChange): Finding[] {
  const note = (subject: string, said: Finding["text"]): Finding => ({ section: "unknown", kind: "note", subject, text: said });
  const swarm = steps.find(
    ({ urn, type, op }) =>
      type === "command:local:Command" && [`${cluster}-swarm`, `${cluster}-hosts`].includes(nameIn(urn)) && (op === "update" || /replace/.test(op)),
  );
  const was = new Map((before?.hosts ?? []).map(({ key, publicAddress }) => [key, publicAddress]));
  const late = (after?.hosts ?? [])
    .filter(({ key, publicAddress }) => typeof publicAddress === "object" && typeof was.get(key) !== "object")
    .map(({ key }) => key);
  const open = late.length === 0 ? [] : [note("public addresses", text`public addresses of ${list(late)} are known only when they are made`)];
  return [
    ...(swarm
      ? [
          note(
            "swarm program",
            words(
              "the program that looks at all hosts runs again. What it is asked is secret, so the preview shows that it runs, not what it will find to do",
            ),
          ),
        ]
      : []),
    ...(unseenSettings.length === 0
      ? []
      : [
          note(
            "Docker's settings",
            text`the state, which an older version of this package wrote, does not say which hosts have ${list(unseenSettings)}. Docker starts again on hosts that lack them, one turn after the other`,
          ),
        ]),
    ...open,
    ...lateValues(after).map(([what, fields]) => note(what, text`${what}: ${list(fields)} known only when it is made`)),
    ...(partial
      ? [
          note(
            "left out",
            words("what stays as it is was left out of the preview: hosts, sites and managers cannot be counted. Fix: preview with --show-sames"),
          ),
        ]
      : []),
  ];
}

/** Values that are there only when something is made, by whom they belong to. */
function lateValues(after: ClusterChange["after"]): [string, string[]][] {
  if (!after) return [];
  const named: [string, object][] = [
    ...after.hosts.map((host): [string, object] => [`host ${host.key}`, host]),
    ...after.rules.map((rule): [string, object] => [`rule ${rule.name}`, rule]),
    ...after.networks.map((network): [string, object] => [`network ${network.name}`, network]),
    ...after.subnets.map((subnet): [string, object] => [subnet.owner, subnet]),
  ];
  return named.flatMap(([what, each]): [string, string[]][] => {
    const fields = Object.entries(each)
      .filter(([, value]) => value === unknown || (Array.isArray(value) && value.includes(unknown)))
      .map(([field]) => field);
    return fields.length === 0 ? [] : [[what, fields]];
  });
}
