import { show } from "../report";
import type { Problem } from "../report";

const byte = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const ipv4Pattern = new RegExp(`^${byte}(?:\\.${byte}){3}$`);

export function isIpv4(text: string): boolean {
  return ipv4Pattern.test(text);
}

/** What a user wrote as an address, and what is in it that belongs elsewhere. */
interface Parts {
  readonly address: string;
  readonly user?: string;
  readonly port?: string;
}

/** Of `ssh://ops@10.0.0.1:2222/` too. More than one colon is IPv6. */
function partsOf(text: string): Parts {
  const [, user, address = "", port] = /^(?:ssh:\/\/)?(?:([^@\s]+)@)?([^@:/\s]*)(?::(\d+))?\/?$/.exec(text.trim()) ?? [];
  if (address === "") return { address: text.trim() };
  return { address, ...(user !== undefined && { user }), ...(port !== undefined && { port }) };
}

/** The address alone, for what else is planned with it. */
export function bareAddress(text: unknown): string {
  return typeof text === "string" ? partsOf(text).address : "";
}

/** What else an argument can take beside an address. */
export interface AddressKind {
  /** Whether a name that can be resolved will do. */
  readonly names: boolean;
  /** Whether `port` and `user` are options beside it. */
  readonly login: boolean;
  /** Whether others call the machine by it, for whom the loopback address is another machine: their own. @default false */
  readonly called?: boolean;
}

/**
 * What is wrong with an address, by what was probably meant.
 *
 * @returns undefined where nothing is; a name that is not taken is no matter of this.
 */
export function addressProblem(path: string, given: unknown, { names, login, called = false }: AddressKind): Problem | undefined {
  const option = path.split(".").at(-1) ?? path;
  if (given === undefined || given === "") return { path, message: "the address is missing", fix: `write such as ${option}: "192.0.2.10"` };
  if (typeof given !== "string") return { path, message: `${show(given)} is not an address`, fix: `write such as ${option}: "192.0.2.10"` };
  const { address, user, port } = partsOf(given);
  const extra = [...(user === undefined ? [] : ["a user"]), ...(port === undefined ? [] : ["a port"])];
  const options = [...(user === undefined ? [] : [`user: "${user}"`]), ...(port === undefined ? [] : [`port: ${port}`])];
  if (extra.length > 0) {
    return {
      path,
      message: `"${given}" is an address with ${extra.join(" and ")}`,
      fix: `write ${[`${option}: "${address}"`, ...(login ? options : [])].join(", ")}`,
    };
  }
  if (given !== given.trim()) return { path, message: `"${given}" has a space around it`, fix: `write ${option}: "${address}"` };
  if (given !== address) return { path, message: `"${given}" is a URL`, fix: `write ${option}: "${address}"` };
  const [, network] = /^([\d.]+)\/\d+$/.exec(given) ?? [];
  if (network !== undefined) return { path, message: `"${given}" is a network`, fix: `give one address, such as ${option}: "${network}"` };
  if (/^[\d.]+$/.test(given))
    return isIpv4(given)
      ? nobodys(path, given, called)
      : { path, message: `"${given}" is not an IPv4 address: ${whyNot(given)}`, fix: corrected(option, given) };
  if (called && isLoopback(given)) return loopback(path, given);
  if (!names || given.includes(":")) return undefined;
  if (!/^(?!-)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.?$/.test(given)) {
    return {
      path,
      message: `"${given}" is neither an address nor a host's name, which has only letters, digits, hyphens and dots`,
      fix: "correct it, or give the address",
    };
  }
  return undefined;
}

/** Addresses that no machine has (RFC 1122 section 3.2.1.3, RFC 5771). */
function nobodys(path: string, address: string, called: boolean): Problem | undefined {
  if (called && isLoopback(address)) return loopback(path, address);
  const first = Number(address.split(".")[0]);
  if (first !== 0 && first < 224) return undefined;
  return { path, message: `"${address}" is the address of no machine`, fix: "give the one that the machine has on its network" };
}

function loopback(path: string, address: string): Problem {
  return { path, message: `"${address}" is for each machine its own loopback address`, fix: "give the address that the machine has on its network" };
}

/** As which every machine knows itself. */
export function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || (isIpv4(address) && address.startsWith("127."));
}

function corrected(option: string, text: string): string {
  const plain = text.split(".").map(Number).join(".");
  return isIpv4(plain) && text.split(".").every((part) => part !== "") ? `write ${option}: "${plain}"` : "correct it";
}

function whyNot(text: string): string {
  const parts = text.split(".");
  if (parts.length !== 4 || parts.includes("")) return "it has not four numbers";
  const large = parts.find((part) => Number(part) > 255);
  return large === undefined ? "a number in it begins with 0" : `${large} is more than 255`;
}
