import { Address4 } from "ip-address";
import { show } from "../report";

/** What is wrong with a text that is no IPv4 network, and how it was probably meant. */
export interface NoCidr {
  readonly problem: string;
  readonly fix: string;
}

const usual = "write it as address/prefix, such as 10.96.0.0/14";

/** @param text A program without types may give anything. */
export function noCidr(text: unknown): NoCidr {
  if (typeof text !== "string") return { problem: `${show(text)} is not an IPv4 network in CIDR form, such as 10.96.0.0/14`, fix: usual };
  if (/^[0-9a-fA-F]*:[0-9a-fA-F:]*(?:\/\d+)?$/.test(text)) return { problem: `"${text}" is IPv6, and an IPv4 network is needed here`, fix: usual };
  const meant = meantBy(text.trim());
  return {
    problem: `"${text}" is not an IPv4 network in CIDR form, such as 10.96.0.0/14`,
    fix: meant === undefined ? usual : `write ${meant}`,
  };
}

/** With a mask for the prefix, with space around it, or without a prefix: then the zeros at its end tell. */
function meantBy(text: string): string | undefined {
  const [, address = "", rest] = /^([\d.]+)(?:[/\\]([\d.]+))?$/.exec(text) ?? [];
  if (!Address4.isValid(address)) return undefined;
  if (rest === undefined) return `"${address}/${guessed(address)}"`;
  const prefix = rest.includes(".") ? prefixOf(rest) : Number(rest);
  return prefix !== undefined && prefix <= 32 ? `"${address}/${prefix}"` : undefined;
}

function guessed(address: string): number {
  const zeros = /(?:\.0){1,3}$/.exec(address)?.[0].length ?? 0;
  return 32 - zeros * 4;
}

/** Of a mask such as 255.252.0.0. */
function prefixOf(mask: string): number | undefined {
  if (!Address4.isValid(mask)) return undefined;
  const [, ones] = /^(1*)0*$/.exec(new Address4(mask).bigInt().toString(2).padStart(32, "0")) ?? [];
  return ones?.length;
}
