import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { drawablesIn } from "../../components/review/drawable";
import { svg } from "../../components/picture/svg";
import type { Topology } from "../../components/topology/topology";
import { ClusterShell, type LocalStackOutputs, proveByName } from "../lab/cluster";
import { root, run, Stack } from "../lab/pulumi";
import { summaryOf } from "./summary";

const folder = join(root, ".lab", "demo");
const stack = new Stack("local");

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** From whatever is there to a running swarm of three hosts, and the proof that it works. */
async function up(): Promise<void> {
  await stack.init();
  await stack.cancel();
  await stack.sweep("demo");
  // What the outputs say is in the summary, and in the picture.
  const result = await stack.up({ show: true }, "--suppress-outputs");
  if (result.code !== 0) throw new Error("pulumi up did not finish; its message is above. Run npm run demo again when it is fixed.");
  const outputs = await stack.outputs<LocalStackOutputs>();
  const env = writeAccess(outputs);
  const keys = Object.keys(outputs.hosts);
  const [first = "", last = ""] = [keys[0], keys.at(-1)];
  const shell = new ClusterShell(outputs.connections);
  try {
    const answer = await proveByName(shell, first, last, "web");
    say("");
    say(`A container on ${first} asked a service on ${last} by its name, over the overlay network "web": "${answer}".`);
  } finally {
    shell.close();
  }
  if (/^Resources:\n\s+\d+ unchanged/m.test(result.stdout)) say("Nothing to do: the swarm is as the program says.");
  say("");
  const { topology, picture } = await draw();
  for (const line of summaryOf(topology, { env, picture })) say(line);
}

/** Draws what there is now, as the state has it. */
async function draw(): Promise<{ readonly topology: Topology; readonly picture: string }> {
  const [drawable] = drawablesIn(await stack.export());
  if (!drawable) throw new Error("the state of the stack local has no cluster. Fix: npm run demo:down, then npm run demo");
  const file = join(folder, "picture.svg");
  writeFileSync(file, svg(drawable.after));
  return { topology: drawable.after, picture: pathToFileURL(file).href };
}

/** The demo's key stays out of your own ~/.ssh: an `ssh` of our own in front of the real one knows it. */
function writeAccess(outputs: LocalStackOutputs): string {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  const [first] = Object.keys(outputs.hosts);
  const write = (name: string, text: string, mode: number): void => {
    const file = join(folder, name);
    rmSync(file, { force: true });
    writeFileSync(file, text, { mode });
    chmodSync(file, mode);
  };
  const entries = Object.entries(outputs.connections);
  write("id_ed25519", entries[0]?.[1].privateKey ?? "", 0o600);
  write("known_hosts", entries.map(([, { host, hostKey }]) => `${host} ${hostKey}\n`).join(""), 0o600);
  const config = [
    ...entries.map(([key, { host }]) => `Host ${key}\n  HostName ${host}\n`),
    `Host *\n  User root\n  IdentityFile "${join(folder, "id_ed25519")}"\n  IdentitiesOnly yes\n  UserKnownHostsFile "${join(folder, "known_hosts")}"\n  StrictHostKeyChecking yes\n`,
  ];
  write("ssh_config", config.join(""), 0o600);
  write("bin/ssh", `#!/bin/sh\nexec /usr/bin/ssh -F '${join(folder, "ssh_config")}' "$@"\n`, 0o755);
  write("env", `PATH='${bin}':"$PATH"\nDOCKER_HOST=${outputs.connections[first ?? ""] ? outputs.dockerHost : ""}\nexport PATH DOCKER_HOST\n`, 0o644);
  return join(".lab", "demo", "env");
}

/** Removes everything that the demo made, whatever state it was left in. */
async function down(): Promise<void> {
  await stack.init();
  await stack.cancel();
  const result = await stack.destroy({ show: true });
  if (result.code !== 0) {
    say("The destroy did not finish; removing the demo's containers and network by hand.");
    const { stdout } = await run("docker", ["ps", "-aq", "--filter", "name=^demo-"]);
    const containers = stdout.split("\n").filter(Boolean);
    if (containers.length > 0) await run("docker", ["rm", "-f", "-v", ...containers]);
    await run("docker", ["network", "rm", "demo-site"]);
  }
  await stack.pulumi(["stack", "rm", "--yes", "--force"]);
  if (existsSync(folder)) rmSync(folder, { recursive: true });
  say("The demo is gone: no container, network or volume of it is left.");
}

const verb = process.argv[2] ?? "up";
(verb === "down" ? down() : up()).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
