import { isIP } from "node:net";

/** @returns the family of a network in CIDR form, and nothing for any other text */
export function parseAnyCidr(source: string): 4 | 6 | undefined {
  const [address = "", prefix = "", more] = source.split("/");
  const family = isIP(address);
  const valid = /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128) && more === undefined;
  return valid && (family === 4 || family === 6) ? family : undefined;
}
