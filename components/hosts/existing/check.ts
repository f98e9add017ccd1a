import { show } from "../../report";
import { addressProblem, bareAddress, isIpv4 } from "../address";
import { checkBastion, hostKeyProblem } from "../bastion";
import { userProblem } from "../user";
import type { Problem } from "../../report";
import type { ExistingHostsArgs, ExistingMachine } from "./args";
import { checkKeys } from "./keys";

/** What is wrong with the arguments of a group but for its machines. */
export function checkAccess(args: ExistingHostsArgs): Problem[] {
  const problems: Problem[] = [];
  if (Object.keys(args.machines ?? {}).length === 0) {
    problems.push({ path: "machines", message: "no machine is given", fix: "give at least one, or leave the group out" });
  }
  if (args.privateKey === undefined && args.agentSocket === undefined) {
    problems.push({ path: "privateKey", message: "there is no way to log in", fix: "give privateKey or agentSocket" });
  }
  problems.push(...checkKeys(args));
  if (args.natAddress !== undefined) {
    problems.push(...checkIpv4("natAddress", args.natAddress, "give the router's public IPv4 address, or leave it out"));
  }
  problems.push(...checkPort("port", args.port), ...checkPort("bastion.port", args.bastion?.port), ...checkUser(args), ...checkSocket(args));
  if (args.bastion) problems.push(...checkBastion(args.bastion));
  return [...problems, ...checkProxy(args)];
}

function checkPort(path: string, port: unknown): Problem[] {
  if (port === undefined || (typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65_535)) return [];
  return [{ path, message: `${show(port)} is not a TCP port`, fix: "give a whole number from 1 to 65535, or leave it out for 22" }];
}

function checkUser({ user, machines = {} }: ExistingHostsArgs): Problem[] {
  const problem = userProblem(
    "user",
    user,
    Object.values(machines).map(({ address }) => address),
  );
  return problem ? [problem] : [];
}

/** Node opens the file of this name, and no shell looks at it before. A pipe of Windows is one too. */
function checkSocket({ agentSocket }: ExistingHostsArgs): Problem[] {
  if (agentSocket === undefined || !/^$|^~|SSH_AUTH_SOCK/.test(agentSocket)) return [];
  const message = `${show(agentSocket)} is not the path of an agent's socket`;
  return [{ path: "agentSocket", message, fix: "write process.env.SSH_AUTH_SOCK, or the whole path" }];
}

/** A program without types may give a line, as OpenSSH has it. */
function checkProxy({ proxyCommand, bastion }: ExistingHostsArgs): Problem[] {
  if (proxyCommand === undefined) return [];
  const path = "proxyCommand";
  const words: unknown = proxyCommand;
  if (!Array.isArray(words) || words.length === 0 || !words.every((word) => typeof word === "string" && word !== "")) {
    return [{ path, message: `${show(words)} is not a program with its arguments`, fix: 'write a text each, such as ["nc", "%h", "%p"]' }];
  }
  const [line] = words as string[];
  if (words.length === 1 && / .*%/.test(line ?? "")) {
    const fix = `write a text each: ${JSON.stringify(line?.split(/ +/)).replaceAll('","', '", "')}`;
    return [{ path, message: `${show(line)} is a whole line, and a program's name is needed`, fix }];
  }
  const stray = words.flatMap((word: string) => word.match(/%(?:[^%hpr]|$)|%%/g) ?? []).find((token) => token !== "%%");
  return [
    ...(stray === undefined ? [] : [{ path, message: `"${stray}" stands for nothing`, fix: "use %h, %p and %r, and write %% for a percent sign" }]),
    ...(bastion ? [{ path, message: "a program and a bastion are both to carry the connection", fix: "keep one of them" }] : []),
  ];
}

/** What is wrong with one machine. */
export function checkMachine(place: string, machine: ExistingMachine, { proxyCommand }: Pick<ExistingHostsArgs, "proxyCommand">): Problem[] {
  const problems: Problem[] = [];
  const path = `machines.${place}`;
  if (!/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(place)) {
    problems.push({ path, message: `"${place}" cannot name a host`, fix: "use lower-case letters, digits and hyphens" });
  }
  problems.push(...checkPort(`${path}.port`, machine.port));
  const { address, privateAddress, publicAddress } = machine;
  const user = userProblem(`${path}.user`, machine.user, [address]);
  if (user) problems.push(user);
  const hostKey = hostKeyProblem(`${path}.hostKey`, machine.hostKey, address);
  if (hostKey) problems.push(hostKey);
  // A program may call its other end as it likes.
  const dialled = addressProblem(`${path}.address`, address, {
    names: proxyCommand === undefined,
    login: true,
    called: privateAddress === undefined,
  });
  if (dialled) problems.push(dialled);
  if (privateAddress !== undefined) {
    problems.push(...checkIpv4(`${path}.privateAddress`, privateAddress, "give the machine's private IPv4 address as privateAddress", advertised));
  } else if (!dialled && !isIpv4(address)) {
    problems.push(...checkIpv4(`${path}.address`, address, "give the machine's private IPv4 address as privateAddress", advertised));
  }
  if (publicAddress !== undefined) {
    problems.push(...checkIpv4(`${path}.publicAddress`, publicAddress, "give the address on which other sites reach it, or leave it out"));
  }
  return problems;
}

const advertised = ", and Docker advertises nothing else";

/** Where a name will not do. */
function checkIpv4(path: string, given: string, fix: string, why = ""): Problem[] {
  const problem = addressProblem(path, given, { names: false, login: false, called: true });
  if (problem) return [problem];
  return isIpv4(bareAddress(given)) ? [] : [{ path, message: `"${given}" is not an IPv4 address${why}`, fix }];
}
