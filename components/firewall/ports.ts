/** Ports as a rule writes them: `443`, `30000-30100`. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** @returns the range, or undefined for what is none. */
export function parsePorts(text: string | number): PortRange | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(text));
  if (!match) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first >= 1 && first <= last && last <= 65_535 ? { first, last } : undefined;
}

export function portsOverlap(one: PortRange, other: PortRange): boolean {
  return one.first <= other.last && other.first <= one.last;
}

/** The same ports in the fewest ranges, in order. */
export function mergePorts(ranges: readonly PortRange[]): readonly PortRange[] {
  const merged: PortRange[] = [];
  for (const range of [...ranges].sort((one, other) => one.first - other.first || one.last - other.last)) {
    const before = merged.at(-1);
    if (before && range.first <= before.last + 1) merged[merged.length - 1] = { first: before.first, last: Math.max(before.last, range.last) };
    else merged.push(range);
  }
  return merged;
}

export function showPorts({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

/** Those whose ports can be read: what made a rule with another one has told of it already. */
export function readableRules<Rule extends { readonly ports: readonly string[] }>(rules: readonly Rule[]): readonly Rule[] {
  return rules.filter(({ ports }) => ports.every((port) => parsePorts(port) !== undefined));
}

/** The ports of a rule of a plan without problems, merged. */
export function rulePorts(ports: readonly string[]): readonly PortRange[] {
  return mergePorts(
    ports.map((text) => {
      const range = parsePorts(text);
      if (!range) throw new Error(`"${text}" is no port of a checked plan`);
      return range;
    }),
  );
}
