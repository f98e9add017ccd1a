import type { Rule } from "../finding";

/** Small packets pass, so that all seems well, and large ones vanish without a word. */
export const pathNarrow: Rule = {
  kind: "path-narrow",
  summary: "packets of the planned size do not pass between two hosts: connections hang as soon as they carry much",
  find: ({ paths, seen }) => {
    const mtu = seen.planned?.underlayMtu ?? 0;
    const narrow = paths.filter(({ path }) => path.carriesMtu === false && path.lost < path.sent);
    const [first, ...others] = narrow;
    if (!first) return [];
    return [
      {
        severity: "broken",
        hosts: [...new Set(narrow.flatMap(({ from, to }) => [from.key, to.key]))],
        text: `packets of ${mtu} bytes do not pass from ${first.from.key} to ${first.to.key}${others.length > 0 ? ` (and on ${others.length} other paths)` : ""}, though small ones do: connections hang as soon as they carry much`,
        fix: 'lower the mtu of the site to what the link carries ("pulumi up" then says how much), or raise it on the link',
      },
    ];
  },
};
