import type * as pulumi from "@pulumi/pulumi";
import { isLater } from "../../../options";
import type { Problem } from "../../../report";
import type { CalicoPeerArgs } from "./args";

/** What BIRD's configuration can hold between quotes, and the kernel as a key (TCP_MD5SIG_MAXKEYLEN). */
const usable = /^[!#-~]{1,80}$/;

type Peers = Readonly<Record<string, CalicoPeerArgs>>;

/** Of all routers that have one, by their names. */
export function passwordsOf(peers: Peers = {}): Readonly<Record<string, pulumi.Input<string>>> {
  return Object.fromEntries(Object.entries(peers).flatMap(([name, { password }]) => (password === undefined ? [] : [[name, password]])));
}

/** What is wrong with a router's password, without any of it. */
export function passwordProblem(name: string, given: unknown): Problem | undefined {
  const path = `overlay.peers.${name}.password`;
  const fix = "give 1 to 80 printable characters, without spaces and double quotes";
  if (typeof given !== "string") return { path, message: "what is given is not a text", fix };
  if (given === "") return { path, message: "it is empty", fix };
  return usable.test(given) ? undefined : { path, message: "it is too long, or has characters that BIRD cannot read", fix };
}

/** Of those that are known already. */
export function passwordProblems(peers: Peers = {}): Problem[] {
  return Object.entries(passwordsOf(peers)).flatMap(([name, password]) => (isLater(password) ? [] : (passwordProblem(name, password) ?? [])));
}
