import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandResult, root, run } from "../../tools/lab/pulumi";
import { type Absent, type Contender, succeed } from "../contender";
import { folder, hostKey, type Machines, privateKeyFile, sshConfig } from "../machines";
import { hasProgram } from "./program";

const there = join(folder, "terraform");

/** What most configurations do, by the one beside this file: `remote-exec`, and the network by kreuzwerker/docker. */
export async function terraform(machines: Machines): Promise<Contender | Absent> {
  const program = (await hasProgram("terraform")) ? "terraform" : "tofu";
  if (!(await hasProgram(program))) return { name: "Terraform", absent: "not installed: your package manager's terraform or opentofu" };
  const name = program === "tofu" ? "OpenTofu" : "Terraform";
  // No look for a newer version while the clock runs.
  const env = ["CHECKPOINT_DISABLE=1", "TF_IN_AUTOMATION=1"];
  const inFolder = (...args: readonly string[]): Promise<CommandResult> => run("env", [...env, program, ...args], { cwd: there });
  rmSync(there, { recursive: true, force: true });
  mkdirSync(there, { recursive: true });
  cpSync(join(root, "bench", "peers", "terraform", "main.tf"), join(there, "main.tf"));
  writeFileSync(join(there, "terraform.tfvars.json"), JSON.stringify(variables(machines)));
  const { code, stderr } = await inFolder("init", "-input=false", "-no-color");
  if (code !== 0) return { name, absent: `cannot get the provider kreuzwerker/docker: ${firstError(stderr)}` };
  const { terraform_version: version, provider_selections: providers } = JSON.parse(await succeed(inFolder("version", "-json"))) as Versions;
  const provider = Object.entries(providers).find(([source]) => source.endsWith("/kreuzwerker/docker"))?.[1] ?? "";
  const everyone = `-parallelism=${machines.names.length}`;
  const apply = (verb: string) => (): Promise<CommandResult> => inFolder(verb, "-auto-approve", "-input=false", "-no-color", everyone);
  return { name, version: `${version}, kreuzwerker/docker ${provider}`, first: apply("apply"), again: apply("apply"), undo: apply("destroy") };
}

interface Versions {
  readonly terraform_version: string;
  readonly provider_selections: Readonly<Record<string, string>>;
}

function variables({ names, addresses }: Machines): object {
  const hosts = names.map((host, index) => [host, { address: addresses[index], role: index < 3 ? "manager" : "worker" }]);
  return {
    hosts: Object.fromEntries(hosts) as object,
    first: names[0],
    ssh: { config: sshConfig, key: privateKeyFile, host_key: hostKey.publicKey },
  };
}

function firstError(stderr: string): string {
  return /Error: (.*)/.exec(stderr)?.[1] ?? stderr.trim().split("\n")[0] ?? "";
}
