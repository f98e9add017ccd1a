import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { runProgram } from "./program";

/*
 * What an account has on this machine carries the account's key, which follows from the name of its file: two checkouts, or two tests
 * at once, never take or remove each other's things.
 */

/** Which account it is: `STAND_IN_CLOUD_AWS` and so on name a file, so that tests do not see each other's clouds. */
export function accountFile(cloud: string): string {
  return resolve(process.env[fileVariable(cloud)] ?? `.lab/clouds/${cloud}.json`);
}

export function fileVariable(cloud: string): string {
  return `STAND_IN_CLOUD_${cloud.toUpperCase()}`;
}

export class Account {
  private readonly key: string;

  constructor(readonly file: string) {
    this.key = createHash("sha256").update(resolve(file)).digest("hex").slice(0, 6);
  }

  /** Begins the names of its containers and networks. */
  get prefix(): string {
    return `cloud-${this.key}`;
  }

  /** Name of its table of nft's, and the comment of its other rules. */
  get table(): string {
    return `cl_${this.key}`;
  }

  /** Anything but the same for two accounts. */
  get number(): number {
    return Number.parseInt(this.key, 16);
  }

  /** On its containers and networks. */
  get label(): { readonly label: string; readonly value: string } {
    return { label: "pulumi-swarm.stand-in", value: this.key };
  }

  /** Name of the container that plays a machine. */
  containerName(machine: string): string {
    return `${this.prefix}-${machine}`;
  }
}

/** Closes an account: nothing that it made is left on this machine, and nothing of it is known any more. */
export async function forget(account: Account): Promise<void> {
  const { label, value } = account.label;
  const mine = ["--filter", `label=${label}=${value}`];
  const machines = lines(await runProgram("docker", ["ps", "-aq", ...mine]));
  if (machines.length > 0) await runProgram("docker", ["rm", "-f", "-v", ...machines]);
  const networks = lines(await runProgram("docker", ["network", "ls", "-q", ...mine]));
  if (networks.length > 0) await runProgram("docker", ["network", "rm", ...networks]);
  await closeWays(account);
  rmSync(account.file, { force: true });
}

/** Takes away how the account's addresses outside are translated. */
export async function closeWays({ table }: Account): Promise<void> {
  // Where there is no nft, or no right to use it, there is no table either.
  await runProgram("nft", ["delete", "table", "ip", table]).catch(() => "");
  const rules = lines(await runProgram("iptables", ["-w", "-S", "DOCKER-USER"]).catch(() => ""));
  for (const rule of rules.filter((one) => one.split(" ").includes(table))) {
    await runProgram("iptables", ["-w", "-D", ...rule.split(" ").slice(1)]);
  }
}

export function lines(text: string): readonly string[] {
  return text.split("\n").filter(Boolean);
}
