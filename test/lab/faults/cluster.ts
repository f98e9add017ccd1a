import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually, testImage } from "../../../tools/lab/cluster";
import { docker, startMachine } from "../../../tools/lab/machines";
import { type CommandResult, root, type RunOptions } from "../../../tools/lab/pulumi";
import { Sites } from "../../../tools/lab/sites";
import { Lab } from "../lab";
import { nextOf, startProbes } from "./probes";

/** Three managers and two workers, given machines, so that a test may do to them what befalls real ones. */
export const managers = ["a", "b", "c"] as const;
export const workers = ["d", "e"] as const;
export const names = [...managers, ...workers] as const;
export type Name = (typeof names)[number];

/** A host's name in the cluster. */
export const keyOf = (name: Name): string => `${(managers as readonly Name[]).includes(name) ? "control" : "edge"}-${name}`;

/** Seconds that a host has to answer: usually, and where a case waits for one that will not. */
export const patience = 90;
export const impatience = 20;

const subnet = "10.246.1.0/24";
const site = "rack";

/** What the user's program says of the cluster. */
export interface Program {
  readonly control: readonly Name[];
  readonly edge: readonly Name[];
  readonly edgeRole: "manager" | "worker";
  readonly label: string;
  readonly networks: readonly string[];
  readonly port: number;
  readonly rotation: string;
  readonly logDriver: "json-file" | "local";
  readonly recheck: string;
  readonly recover?: string;
  readonly reboot?: string;
  /** Seconds. */
  readonly reachable: number;
  /** Whose address each machine is said to have. @default - its own */
  readonly swapped?: readonly [Name, Name];
}

const first: Program = {
  control: managers,
  edge: workers,
  edgeRole: "worker",
  label: "first",
  networks: ["web"],
  port: 8443,
  rotation: "first",
  logDriver: "json-file",
  recheck: "first",
  reachable: patience,
};

/** The standing cluster that cases do things to. */
export class FaultCluster {
  readonly sites = new Sites("fault", { [site]: { subnet, hosts: Object.fromEntries(names.map((name) => [name, {}])) } });
  readonly lab = new Lab("fault");
  program: Program = first;
  /** All that Pulumi printed. */
  said: string[] = [];
  private count = 0;

  /** Fresh machines, a fresh stack, a swarm of both, and what lives on it. */
  async build(): Promise<void> {
    this.program = first;
    await this.lab.begin();
    await this.lab.logInWith(this.sites.keys.client.privateKey);
    await this.sites.build();
    await Promise.all(names.map((name) => this.putImage(name)));
    await this.up();
    await this.settle();
  }

  /** What lives on the swarm: a probe on each host, and a secret. */
  async settle(): Promise<void> {
    await startProbes(this);
    await this.on("a", "docker secret ls -q -f name=kept | grep -q . || echo kept | docker secret create kept - >/dev/null");
  }

  async end(): Promise<void> {
    await this.lab.end();
    await this.sites.remove();
  }

  machine(name: Name): string {
    return this.sites.host(name).machine;
  }

  address(name: Name): string {
    return this.sites.host(name).address;
  }

  /** Past SSH, so that it works on a host that is cut off. */
  on(name: Name, command: string): Promise<string> {
    return docker("exec", this.machine(name), "sh", "-c", command);
  }

  async putImage(name: Name): Promise<void> {
    await docker("cp", join(root, ".lab", "busybox.tar"), `${this.machine(name)}:/root/busybox.tar`);
    await this.on(name, `docker image inspect ${testImage} >/dev/null 2>&1 || docker import /root/busybox.tar ${testImage} >/dev/null`);
  }

  /** Asks whichever manager answers. */
  async ask(command: string): Promise<string> {
    const seen: string[] = [];
    for (const name of this.managersNow) {
      try {
        return await docker("exec", this.machine(name), "timeout", "20", "sh", "-c", command);
      } catch (error) {
        seen.push((error as Error).message);
      }
    }
    throw new Error(seen.join("\n"));
  }

  get members(): Name[] {
    return [...this.program.control, ...this.program.edge];
  }

  get managersNow(): Name[] {
    return [...this.program.control, ...(this.program.edgeRole === "manager" ? this.program.edge : [])];
  }

  edit(change: Partial<Program>): void {
    this.program = { ...this.program, ...change };
  }

  /** Another `recheck`, as a user gives it who wants everything to be looked at. */
  lookAgain(): void {
    this.edit({ recheck: this.another("look") });
  }

  /** A text that was not used before. */
  another(what: string): string {
    return `${what}-${++this.count}`;
  }

  async run(options: RunOptions = {}, ...more: readonly string[]): Promise<CommandResult> {
    await this.lab.spec(this.spec());
    return this.remember(await this.lab.stack.up(options, ...more));
  }

  async up(...more: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run({}, ...more);
    assert.equal(code, 0, `up failed:\n${stdout}\n${stderr}`);
    return stdout + stderr;
  }

  /** What lives on the swarm goes first: a network is not taken from under a service. */
  async destroy(options?: RunOptions): Promise<CommandResult> {
    // Where a destroy was cut off, there may be no swarm any more.
    await this.ask("docker service ls -q | xargs -r docker service rm").catch(() => undefined);
    return this.remember(await this.lab.stack.destroy(options));
  }

  private remember(result: CommandResult): CommandResult {
    this.said.push(result.stdout, result.stderr);
    return result;
  }

  /** A machine that knows nothing, at the address of one that is lost. */
  async freshMachine(name: Name): Promise<void> {
    const machine = this.machine(name);
    await docker("rm", "-f", "-v", machine);
    await startMachine({ name: machine, network: `fault-net-${site}`, address: this.address(name), keys: this.sites.keys });
    await this.sites.ready(name);
    await this.putImage(name);
  }

  /** The manager that leads now. */
  async leader(): Promise<Name> {
    const key = await eventually("a leader", 60, async () => {
      const said = await this.ask(
        "docker node inspect $(docker node ls -q) --format '{{index .Spec.Labels \"pulumi-swarm.host\"}} {{with .ManagerStatus}}{{.Leader}}{{end}}'",
      );
      return /^(\S+) true$/m.exec(said)?.[1];
    });
    return names.find((name) => keyOf(name) === key) ?? assert.fail(`${key} leads`);
  }

  /** All that a run could change on a host, as one text a host. */
  async fingerprints(): Promise<Readonly<Record<string, string>>> {
    const script = [
      // Where its peers were last seen, a host writes down by itself.
      "find /etc/pulumi-swarm /etc/docker -type f ! -name 'endpoints*' -exec sha256sum {} + 2>/dev/null | sort",
      "nft -s list table inet pulumi_swarm 2>/dev/null",
      "wg show swarm0 allowed-ips 2>/dev/null | sort",
      "ip -o -4 address show",
      "systemctl show -p ExecMainStartTimestampMonotonic docker",
      "docker info -f '{{.Swarm.NodeID}} {{.Swarm.Cluster.ID}} {{.Swarm.LocalNodeState}}' 2>/dev/null",
      "docker node ls -q 2>/dev/null | xargs -r docker node inspect -f '{{json .Spec}}' | sort",
      "docker network ls -q --no-trunc | sort",
      "true",
    ];
    const running = (await docker("ps", "--format", "{{.Names}} {{.Status}}")).split("\n").filter((line) => !line.includes("Paused"));
    const shown = names
      .filter((name) => running.some((line) => line.startsWith(`${this.machine(name)} `)))
      .map(async (name) => [keyOf(name), await this.on(name, script.join("\n"))] as const);
    return Object.fromEntries(await Promise.all(shown));
  }

  private spec(): object {
    const { control, edge, edgeRole, label, networks, port, rotation, logDriver, recheck, recover, reboot, reachable, swapped } = this.program;
    const address = (name: Name): string => this.address((swapped?.includes(name) && swapped.find((other) => other !== name)) || name);
    const group = (role: string, members: readonly Name[], more: object = {}): object => ({
      role,
      site,
      network: subnet,
      machines: Object.fromEntries(
        members.map((name) => [name, { address: address(name), publicAddress: address(name), hostKey: this.sites.keys.host.publicKey }]),
      ),
      ...more,
    });
    return {
      existing: { control: group("manager", control), edge: group(edgeRole, edge, { labels: { edit: label } }) },
      networks: Object.fromEntries(networks.map((name) => [name, {}])),
      wireguard: { rotation },
      firewall: { ssh: this.sites.admins, expose: { shop: { port, from: ["world"], publish: "host" } } },
      engine: { settings: { "log-driver": logDriver } },
      recheck,
      ...(recover !== undefined && { recover }),
      ...(reboot !== undefined && { maintenance: { reboot, rebootSeconds: 60 } }),
      reachableSeconds: reachable,
    };
  }

  /** Who asks whom, all the while. */
  get ring(): readonly (readonly [Name, Name])[] {
    return names.map((name) => [name, nextOf(name)] as const);
  }
}
