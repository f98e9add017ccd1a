import { show } from "../report";
import { isIpv4 } from "./address";
import type { Problem } from "../report";

/**
 * What is wrong with the name of who logs in. A domain may follow it, as where accounts come from a directory; a machine does not.
 *
 * @param addresses of the machines on which it logs in
 */
export function userProblem(path: string, user: unknown, addresses: readonly unknown[]): Problem | undefined {
  if (user === undefined || typeof user !== "string") return undefined;
  if (user === "" || /[\s:/]/.test(user)) {
    return { path, message: `${show(user)} cannot be a user's name`, fix: `write such as user: "debian", or leave it out for root` };
  }
  const [, name, host = ""] = /^(.*)@([^@]*)$/.exec(user) ?? [];
  if (name === undefined || !(addresses.includes(host) || isIpv4(host) || !host.includes("."))) return undefined;
  return { path, message: `${show(user)} is a user with a host`, fix: `write user: "${name}"` };
}
