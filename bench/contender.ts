import { join } from "node:path";
import { type CommandResult, root, run, type Stack } from "../tools/lab/pulumi";
import { admin, type Machines, sshConfig } from "./machines";

type Work = () => Promise<CommandResult>;

/** A way from hosts that run Docker to a swarm of them with the network `bench`. */
export interface Contender {
  readonly name: string;
  /** Programs that the numbers are of. */
  readonly version: string;
  readonly first: Work;
  /** The same once more: nothing is to do. */
  readonly again: Work;
  /** Opens one more port of the hosts' firewall. @default - it has no firewall */
  readonly edit?: Work;
  readonly undo: Work;
}

/** What cannot be measured here. */
export interface Absent {
  readonly name: string;
  /** With what to do about it, in one line. */
  readonly absent: string;
}

export async function succeed(result: Promise<CommandResult>): Promise<string> {
  const { code, stdout, stderr } = await result;
  if (code !== 0) throw new Error(`${stdout}\n${stderr}`);
  return stdout.trim();
}

export async function ours(stack: Stack): Promise<Contender> {
  const up = (expose: object) => (): Promise<CommandResult> => stack.up(undefined, "--config", `bench:expose=${JSON.stringify(expose)}`);
  return {
    name: "pulumi-swarm",
    version: `Pulumi ${await succeed(run("pulumi", ["version"]))}, Node ${process.version}`,
    first: up({}),
    again: up({}),
    edit: up({ web: { port: 8080, from: ["world"] } }),
    undo: () => stack.destroy(),
  };
}

/** The yardstick: a careful script by hand. */
export async function script({ names }: Machines): Promise<Contender> {
  const ssh = (await run("ssh", ["-V"])).stderr.split(/[ ,]/)[0] ?? "";
  const bash = await succeed(run("bash", ["-c", "echo ${BASH_VERSION%%(*}"]));
  const up = (rules: string) => (): Promise<CommandResult> =>
    run("env", [`RULES=${rules}`, "bash", join(root, "bench", "existing-hosts.sh"), sshConfig, admin, "3", ...names]);
  return {
    name: "SSH script",
    version: `bash ${bash}, ${ssh}`,
    first: up(""),
    again: up(""),
    edit: up("tcp dport 8080 accept"),
    undo: () => run("bash", [join(root, "bench", "existing-hosts-down.sh"), sshConfig, ...names]),
  };
}
