import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { docker, makeHostImages } from "../../tools/lab/machines";
import { run, Stack } from "../../tools/lab/pulumi";
import { forget, standIn, type StandInAccount } from "../plugins/clouds/install";

const firewall = { ssh: ["203.0.113.0/24"] };

/** A stack of the program of a cloud's, in an account of its own. */
export class CloudStack {
  private readonly account: StandInAccount;
  readonly stack: Stack;
  private readonly spec: string;
  private readonly folder: string;

  constructor(
    cloud: "aws" | "hcloud",
    private readonly name: string,
  ) {
    const { account, env } = standIn(cloud, name);
    this.folder = join(__dirname, cloud);
    this.account = account;
    this.stack = new Stack(name, this.folder, env);
    this.spec = `${this.account.file}.spec`;
  }

  async begin(): Promise<void> {
    // What plays the clouds' image: quick where it is there.
    await makeHostImages("pulumi-swarm-host:trixie-cloud");
    await this.end();
    await this.stack.init();
    await this.stack.setConfig({ spec: this.spec });
  }

  async end(): Promise<void> {
    await forget(this.account);
    await this.stack.pulumi(["stack", "rm", "--yes", "--force"]);
    rmSync(join(this.folder, `Pulumi.${this.name}.yaml`), { force: true });
  }

  describe(spec: object): void {
    writeFileSync(this.spec, JSON.stringify({ firewall, ...spec }));
  }

  /** Everything that the account has. */
  get holds(): Readonly<Record<string, { readonly token: string; readonly properties: Readonly<Record<string, unknown>> }>> {
    const { file } = this.account;
    return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as CloudStack["holds"]) : {};
  }

  /** What the account has of one kind, such as `server:Server`. */
  all(kind: string): { readonly id: string; readonly properties: Readonly<Record<string, unknown>> }[] {
    return Object.entries(this.holds)
      .filter(([, { token }]) => token.endsWith(`/${kind}`))
      .map(([id, { properties }]) => ({ id, properties }));
  }

  /** Names of what the account has on this machine. */
  async left(): Promise<string[]> {
    const filter = ["--filter", `label=${this.account.label.label}=${this.account.label.value}`];
    const lists = [await docker("ps", "-a", ...filter, "--format", "{{.Names}}"), await docker("network", "ls", ...filter, "--format", "{{.Name}}")];
    const { stdout } = await run("nft", ["list", "tables"]);
    return [
      ...lists.flatMap((list) => list.split("\n")).filter(Boolean),
      ...stdout.split("\n").filter((line) => line.endsWith(` ${this.account.table}`)),
    ];
  }

  async up(): Promise<void> {
    const up = await this.stack.up();
    assert.equal(up.code, 0, up.stdout + up.stderr);
  }

  /** Whether the machine of a host is on. */
  async running(host: string): Promise<boolean> {
    const filter = ["--filter", `label=${this.account.label.label}=${this.account.label.value}`];
    return (await docker("ps", ...filter, "--format", "{{.Names}}")).split("\n").some((name) => name.endsWith(`-${host}`));
  }

  /** What an `up` would do, in order: operation, kind and name. */
  async planned(): Promise<string[]> {
    const preview = await this.stack.preview("--json");
    assert.equal(preview.code, 0, preview.stdout + preview.stderr);
    const { steps } = JSON.parse(preview.stdout) as { steps: { op: string; urn: string }[] };
    const done = steps.filter(({ op }) => !["same", "create-replacement", "delete-replaced"].includes(op));
    return done.map(({ op, urn }) => `${op} ${urn.split("::")[2]?.split(":").at(-1)} ${urn.split("::")[3]}`).sort();
  }
}
