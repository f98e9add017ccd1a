import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CommandResult, root, run } from "../../tools/lab/pulumi";
import { type Absent, type Contender, succeed } from "../contender";
import { controlPath, folder, type Machines, sshConfig } from "../machines";
import { hasProgram } from "./program";

const name = "Ansible";
const here = join(root, "bench", "peers", "ansible");
const inventory = join(folder, "inventory.json");

/** The modules of community.docker, by the playbook beside this file. */
export async function ansible(machines: Machines): Promise<Contender | Absent> {
  if (!(await hasProgram("ansible-playbook"))) return { name, absent: "not installed: pipx install --include-deps ansible" };
  const collection = await collectionVersion();
  if (collection === undefined) return { name, absent: "lacks its Docker modules: ansible-galaxy collection install community.docker" };
  const failure = await installPython(machines);
  if (failure !== undefined) return { name, absent: `its modules need Python on the hosts, which could not be installed: ${failure}` };
  writeInventory(machines);
  const core = /core ([\d.]+\w*)/.exec(await succeed(run("ansible-playbook", ["--version"])))?.[1] ?? "";
  return {
    name,
    version: `ansible-core ${core}, community.docker ${collection}`,
    first: () => play("up.yml"),
    again: () => play("up.yml"),
    undo: () => play("down.yml"),
  };
}

function play(playbook: string): Promise<CommandResult> {
  const env = [`ANSIBLE_CONFIG=${join(here, "ansible.cfg")}`, `ANSIBLE_SSH_CONTROL_PATH=${controlPath.replaceAll("%", "%%")}`];
  return run("env", [...env, "ansible-playbook", "-i", inventory, join(here, playbook)]);
}

async function collectionVersion(): Promise<string | undefined> {
  const { code, stdout } = await run("ansible-galaxy", ["collection", "list", "community.docker", "--format", "json"]);
  if (code !== 0) return undefined;
  const found = JSON.parse(stdout) as Record<string, Record<string, { version: string }>>;
  return Object.values(found)[0]?.["community.docker"]?.version;
}

/** @returns why it failed. */
async function installPython({ names, shell }: Machines): Promise<string | undefined> {
  const install =
    "export DEBIAN_FRONTEND=noninteractive; apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-docker >/dev/null";
  try {
    await Promise.all(names.map((host) => shell.on(host, install, "", 600_000)));
    return undefined;
  } catch (error) {
    return (error as Error).message.trim().split("\n").at(-1);
  }
}

function writeInventory({ names, addresses }: Machines): void {
  const hosts = (from: number, to?: number): object =>
    Object.fromEntries(names.slice(from, to).map((host, index) => [host, { address: addresses[from + index] }]));
  const vars = { ansible_user: "root", ansible_ssh_common_args: `-F ${sshConfig}` };
  writeFileSync(inventory, JSON.stringify({ all: { vars, children: { managers: { hosts: hosts(0, 3) }, workers: { hosts: hosts(3) } } } }));
}
