import type { Connection } from "../remote/connection";
import { quote } from "../remote/script";

/** From where `ssh` takes the private key. */
export type Login =
  | { readonly from: "agent"; readonly socket?: string }
  /** `bastion`: where the host to hop over takes another key. */
  | { readonly from: "file"; readonly path: string; readonly bastion?: string };

type Hop = Pick<Connection, "hostKey">;

/**
 * Options by which OpenSSH reaches a host just as our own sessions do: its key is pinned, no key is trusted on first use, and
 * nothing in the user's `~/.ssh` is read or written.
 */
export function sshOptions(connection: Connection, login: Login): string[] {
  const proxy = proxyCommand(connection, login);
  return [...options(connection, login), ...(proxy === undefined ? [] : ["-o", `ProxyCommand=${proxy}`])];
}

function options({ hostKey }: Hop, login: Login): string[] {
  const [type = "", key = ""] = hostKey.split(" ");
  const set = {
    BatchMode: "yes",
    StrictHostKeyChecking: "yes",
    UpdateHostKeys: "no",
    UserKnownHostsFile: "/dev/null",
    GlobalKnownHostsFile: "/dev/null",
    // No file has to be kept for it: ssh takes what the command prints for lines of known_hosts, and %H for the name it looks up.
    KnownHostsCommand: `/bin/echo %H ${type} ${key}`,
    // ssh-rsa names a form of key; signatures of that name are refused nowadays.
    HostKeyAlgorithms: type === "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256" : type,
    ...identity(login),
  };
  return ["-F", "none", ...Object.entries(set).flatMap(([name, value]) => ["-o", `${name}=${value}`])];
}

function identity(login: Login): Readonly<Record<string, string>> {
  switch (login.from) {
    case "agent":
      return { IdentityFile: "none", ...(login.socket !== undefined && { IdentityAgent: login.socket }) };
    case "file":
      return { IdentityFile: login.path, IdentitiesOnly: "yes", IdentityAgent: "none" };
    default:
      return login satisfies never;
  }
}

/** A shell reads it, after ssh has put in what `%` stands for. */
function proxyCommand({ proxyCommand: words, bastion }: Connection, login: Login): string | undefined {
  if (words) return words.map(quote).join(" ");
  if (!bastion) return undefined;
  const own = login.from === "file" && login.bastion !== undefined ? { ...login, path: login.bastion } : login;
  const hop = ["ssh", ...options(bastion, own), "-p", String(bastion.port ?? 22), "-l", bastion.user ?? "root"];
  return [...hop.map((word) => quote(word.replaceAll("%", "%%"))), "-W", quote("[%h]:%p"), quote(bastion.host)].join(" ");
}
