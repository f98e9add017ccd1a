import type { PlannedHost, Site } from "../../hosts/host";
import type { Problem } from "../../report";
import { Cidr, isCidr, isPrivate } from "../../addresses/cidr";
import { collectOptions } from "../../options";
import { directOptions, underlayOptionNames } from "../kinds";
import type { Underlay } from "../underlay";

/** The site's own network, unchanged: nothing is added, nothing is encrypted. */
export function direct(): Underlay;
export function direct(...given: readonly unknown[]): Underlay {
  const { problems } = collectOptions<object>(given[0] ?? {}, directOptions, "underlay", { kind: "direct", kinds: underlayOptionNames });
  return {
    kind: "direct",
    plan: ({ hosts, sites }) => ({
      kind: "direct",
      encrypted: false,
      overhead: 0,
      over: "site",
      rules: [],
      encryption: {
        channel: "underlay",
        mechanism: "none",
        keyHolder: "nobody",
        rotation: "none",
        protects: false,
        note: "what each channel below brings of its own is all there is",
      },
      problems: [...problems, ...mixedScopes(hosts, sites)],
    }),
  };
}

/** Nodes that advertise private and public addresses side by side form a swarm whose data plane is silently parted (moby#37536). */
function mixedScopes(hosts: readonly PlannedHost[], sites: readonly Site[]): Problem[] {
  const scopes = hosts.flatMap((host) => {
    const own = host.address === undefined ? undefined : Cidr.parse(`${host.address}/32`);
    return own && isCidr(own) ? [{ host, scope: isPrivate(own) ? "private" : "public" }] : [];
  });
  const first = scopes[0];
  const other = scopes.find(({ scope }) => scope !== first?.scope);
  if (!first || !other) return [];
  return [
    {
      path: `hosts.${other.host.group}`,
      message: `${other.host.key} has the ${other.scope} address ${other.host.address}, but ${first.host.key} the ${first.scope} one ${first.host.address}: they would join one swarm whose containers do not reach each other`,
      fix:
        sites.length > 1
          ? "use underlay: wireguard(), which gives all hosts addresses of one kind"
          : "give all hosts of the site the addresses of one network (privateAddress)",
    },
  ];
}
