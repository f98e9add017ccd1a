import { nameIn } from "../topology/of-resources";
import { type ClusterChange, type ClusterEdit, type Finding, isEdit, list, type Text, text, words } from "./findings";

/** What containers talk over: the overlay, its programs, the size of packets, and the networks on it. */
export function networkFindings(change: ClusterChange): Finding[] {
  const { before, after } = change;
  const finding = (kind: Finding["kind"], subject: string, said: Text): Finding => ({ section: "networks", kind, subject, text: said });
  if (!after || change.piece) return [];
  if (!before) {
    const names = after.networks.map(({ name }) => name);
    const networks = names.length === 0 ? text`no networks yet` : text`networks: ${list(names)}`;
    return [
      finding(
        "added",
        after.overlay,
        text`overlay ${after.overlay} over the underlay ${after.underlay}, packets of containers up to ${after.mtu} bytes; ${networks}`,
      ),
    ];
  }
  const [was, will] = [before.networks, after.networks].map((all) => all.map(({ name }) => name)) as [string[], string[]];
  const added = will.filter((name) => !was.includes(name));
  const removed = was.filter((name) => !will.includes(name));
  return [
    ...(isSwitch(change)
      ? [
          finding(
            "changed",
            "overlay",
            text`another overlay: ${after.overlay} instead of ${before.overlay}. Networks are recreated, which is refused as long as a service or a container uses one`,
          ),
        ]
      : []),
    ...(before.mtu === after.mtu
      ? []
      : [
          finding(
            "changed",
            "MTU",
            text`packets of containers may be ${after.mtu} bytes long, and were ${before.mtu}; it counts for containers made afterwards`,
          ),
        ]),
    ...programFindings(change as ClusterEdit, finding),
    ...(added.length === 0 ? [] : [finding("added", added.join(", "), text`added: ${list(added)}`)]),
    ...(removed.length === 0 ? [] : [finding("removed", removed.join(", "), text`removed: ${list(removed)}`)]),
    ...after.networks.flatMap((network) => {
      const other = before.networks.find(({ name }) => name === network.name);
      if (!other || other.internal === network.internal) return [];
      return [
        finding(
          "changed",
          network.name,
          text`${network.name} ${words(network.internal ? "is internal now: nothing on it reaches the outside" : "is internal no longer: what is on it reaches the outside")}`,
        ),
      ];
    }),
  ];
}

function programFindings({ before, after }: ClusterEdit, finding: (kind: Finding["kind"], subject: string, said: Text) => Finding): Finding[] {
  const was = new Map(before.programs.map(({ name, version }) => [name, version]));
  const will = new Map(after.programs.map(({ name, version }) => [name, version]));
  return [
    ...[...will].flatMap(([name, version]) => {
      const old = was.get(name);
      if (old === version) return [];
      if (old !== undefined)
        return [finding("changed", name, text`the program ${name} becomes ${version}, and was ${old}, on each host that runs it`)];
      return [finding("added", name, text`the program ${name} ${version} is put on hosts`)];
    }),
    ...[...was].filter(([name]) => !will.has(name)).map(([name]) => finding("removed", name, text`the program ${name} is taken off hosts`)),
  ];
}

export function isSwitch(change: ClusterChange): boolean {
  return isEdit(change) && change.before.overlay !== change.after.overlay;
}

/** Networks of which something changes that Docker cannot change in place. */
export function networksMadeAnew({ cluster, steps }: ClusterChange): string[] {
  const changed = steps.filter(({ op, type }) => type === "pulumi-swarm:index:OverlayNetwork" && op === "update");
  return changed.map(({ urn }) => nameIn(urn).slice(cluster.length + 1)).sort();
}
