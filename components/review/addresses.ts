import { Cidr, isCidr } from "../addresses/cidr";
import { type ClusterChange, type ClusterEdit, type Finding, isEdit, joined, list, type Text, text, words } from "./findings";

/** Who has which piece of address space, and what of it becomes another one. */
export function addressFindings(change: ClusterChange): Finding[] {
  if (!change.after) return [];
  const was = new Map((change.before?.subnets ?? []).map((subnet) => [subnet.owner, subnet]));
  const will = new Map(change.after.subnets.map((subnet) => [subnet.owner, subnet]));
  const found = { section: "addresses" } as const;
  const moves = isEdit(change) ? hostMoves(change) : [];
  const assigned = [...will.values()].filter(({ owner }) => !was.has(owner));
  const released = [...was.values()].filter(({ owner }) => !will.has(owner));
  const moved = [...will.values()].flatMap((subnet) => {
    const before = was.get(subnet.owner);
    return before && before.cidr !== subnet.cidr ? [{ ...subnet, was: before.cidr }] : [];
  });
  const within = moved.map(({ owner, was }) => ({ owner, hosts: moves.filter(({ from }) => isIn(from, was)) }));
  const alone = moves.filter((move) => !within.some(({ hosts }) => hosts.includes(move)));
  return [
    ...moved.map(({ owner, cidr, was, pinned }): Finding => {
      const hosts = [...new Set(within.find((each) => each.owner === owner)?.hosts.map(({ host }) => host) ?? [])];
      const also = hosts.length === 0 ? text`` : text`, and with it the addresses of ${list(hosts)}`;
      const why = pinned ? "a pin says so" : "the program allows it by renumber, or nothing remembers it";
      return {
        ...found,
        kind: "changed",
        subject: owner,
        risk: "renumber",
        text: text`${owner} moves from ${was} to ${cidr}${also} (${words(why)})`,
      };
    }),
    ...[...new Set(alone.map(({ host }) => host))].map((host): Finding => {
      const own = alone.filter((move) => move.host === host).map(({ what, from, to }) => text`another ${words(what)}: ${to} instead of ${from}`);
      return { ...found, kind: "changed", subject: host, risk: "renumber", text: text`${host} gets ${joined(own, "; ")}` };
    }),
    ...listed(assigned, (what) => ({ ...found, kind: "added", ...what }), change.before ? "assigned" : "assigned, none of them in use before"),
    ...listed(released, (what) => ({ ...found, kind: "removed", ...what }), "released"),
  ];
}

function listed(
  subnets: readonly { owner: string; cidr: string }[],
  make: (what: { subject: string; text: Text }) => Finding,
  how: string,
): Finding[] {
  if (subnets.length === 0) return [];
  const each = subnets.flatMap(({ owner, cidr }, index): Text => [...(index === 0 ? [] : [", "]), { value: owner }, " ", { value: cidr }]);
  return [make({ subject: subnets.map(({ owner }) => owner).join(", "), text: text`${words(how)}: ${each}` })];
}

interface Move {
  readonly host: string;
  readonly what: string;
  readonly from: string;
  readonly to: string;
}

const addresses = [
  ["address", "address"],
  ["publicAddress", "public address"],
  ["tunnelAddress", "address in the tunnel"],
  ["containerSubnet", "subnet for its containers"],
] as const;

/** Addresses of hosts that stay. What is not known before it is made is no move. */
function hostMoves({ before, after }: ClusterEdit): Move[] {
  const known = /^[\da-f]*[.:][\da-f.:/]+$/i;
  return after.hosts.flatMap((host) => {
    const was = before.hosts.find(({ key }) => key === host.key);
    return addresses.flatMap(([field, what]): Move[] => {
      const [from, to] = [was?.[field], host[field]];
      if (typeof from !== "string" || typeof to !== "string" || from === to || !known.test(from) || !known.test(to)) return [];
      // On many clouds the two are one.
      if (field === "publicAddress" && from === was?.address && to === host.address) return [];
      return [{ host: host.key, what, from, to }];
    });
  });
}

function isIn(address: string, network: string): boolean {
  const [one, other] = [Cidr.parse(network), Cidr.parse(address.includes("/") ? address : `${address}/32`)];
  return isCidr(one) && isCidr(other) && one.contains(other);
}

/** One of the lines of a refused move: whose, from where, to where, and what keeps it. */
export const moveLine = /^ {2}- (.+?): from (\S+) to (\S+?)\. Fix: (.*)\n?/gm;

/** What a failed preview says would have moved. Nothing was changed by it. */
export function refusedMoves(errors: readonly string[]): Finding[] {
  const told = /would move (?:an address|\d+ addresses)|would give (?:a member|\d+ members) of the swarm another address/;
  const moves = errors.flatMap((message) => (told.test(message) ? [...message.matchAll(moveLine)] : []));
  return moves.map(([, owner = "", was = "", would = "", fix = ""]) => ({
    section: "addresses",
    kind: "changed",
    subject: owner,
    risk: "renumber",
    text: text`${owner} would move from ${was} to ${would}. Fix: ${fix.replace(/\.$/, "")}`,
  }));
}
