import assert from "node:assert/strict";
import { execFile, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Server, utils } from "ssh2";

const NODE_MODULES = dirname(dirname(dirname(require.resolve("@pulumi/pulumi/package.json"))));
const SUBNET = { subnet: "172.31.231.0/24", gateway: "172.31.231.1" };

interface Result {
  readonly ok: boolean;
  readonly output: string;
}

/** A throw-away project with a state of its own; plugins come from the surrounding PULUMI_HOME. */
class Project {
  readonly directory = mkdtempSync(join(tmpdir(), "plugins-test-"));
  private readonly environment = {
    ...process.env,
    PULUMI_BACKEND_URL: `file://${this.directory}/state`,
    PULUMI_CONFIG_PASSPHRASE: "test",
    PULUMI_SKIP_UPDATE_CHECK: "1",
  };

  async initialise(): Promise<void> {
    mkdirSync(join(this.directory, "state"));
    symlinkSync(NODE_MODULES, join(this.directory, "node_modules"));
    writeFileSync(join(this.directory, "Pulumi.yaml"), "name: plugins-test\nruntime: nodejs\nmain: index.js\n");
    writeFileSync(join(this.directory, "package.json"), '{"name": "plugins-test", "private": true}\n');
    const created = await this.pulumi("stack", "init", "test");
    assert.ok(created.ok, created.output);
  }

  program(body: string): void {
    const head = ["@pulumi/pulumi", "@pulumi/command", "@pulumi/docker"].map((name) => `const ${name.slice(8)} = require("${name}");`);
    writeFileSync(join(this.directory, "index.js"), `${head.join("\n")}\n${body}\n`);
  }

  pulumi(...args: readonly string[]): Promise<Result> {
    return new Promise((resolve) => {
      const options = { cwd: this.directory, env: this.environment, maxBuffer: 1 << 26 };
      execFile("pulumi", [...args, "--non-interactive"], options, (error, stdout, stderr) => {
        resolve({ ok: error === null, output: stdout + stderr });
      });
    });
  }

  async must(operation: "up" | "refresh" | "destroy", ...args: readonly string[]): Promise<string> {
    const result = await this.pulumi(operation, "--yes", "--skip-preview", "--stack", "test", ...args);
    assert.ok(result.ok, result.output);
    return result.output;
  }

  async up(body: string): Promise<string> {
    this.program(body);
    return this.must("up");
  }

  async mustFail(body: string): Promise<string> {
    this.program(body);
    const result = await this.pulumi("up", "--yes", "--skip-preview", "--stack", "test");
    assert.ok(!result.ok, `expected a failure:\n${result.output}`);
    return result.output;
  }

  async outputs(): Promise<Record<string, unknown>> {
    const result = await this.pulumi("stack", "output", "--json", "--stack", "test");
    return JSON.parse(result.output) as Record<string, unknown>;
  }

  state(): string {
    return readFileSync(join(this.directory, "state/.pulumi/stacks/plugins-test/test.json"), "utf8");
  }

  async dispose(): Promise<void> {
    await this.pulumi("destroy", "--yes", "--skip-preview", "--stack", "test");
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function succeeds(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

/** Whether setup wrote stand-ins: what only these promise is not asked of the real ones. */
function isStandIn(name: "command" | "docker"): boolean {
  const { version } = JSON.parse(readFileSync(join(NODE_MODULES, "@pulumi", name, "package.json"), "utf8")) as { version: string };
  const home = process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
  return existsSync(join(home, "plugins", `resource-${name}-v${version}`, "STAND-IN"));
}

describe("the plugins under the real engine", function () {
  this.timeout("3m");
  let project: Project;

  before(function () {
    if (succeeds("pulumi", "version")) return;
    this.test?.parent?.eachTest((test) => (test.title += " (skipped: no pulumi on PATH)"));
    this.skip();
  });

  beforeEach(async () => {
    project = new Project();
    await project.initialise();
  });

  afterEach(() => project.dispose());

  describe("local.Command", () => {
    const command = (args: string, options = "{}") =>
      `const it = new command.local.Command("it", ${args}, ${options}); exports.stdout = it.stdout; exports.stderr = it.stderr;`;

    it("creates, runs create again for lack of update, updates and deletes, each time with what it printed before", async () => {
      const log = join(project.directory, "log");
      const create = `echo "create after [$PULUMI_COMMAND_STDOUT]" >> ${log}; echo first; echo warning >&2`;
      const remove = `echo "delete after [$PULUMI_COMMAND_STDOUT]" >> ${log}`;
      const created = await project.up(command(JSON.stringify({ create, delete: remove })));
      assert.match(created, /command:local:Command it .* warning/, "lines are shown beside the resource");
      assert.deepEqual(await project.outputs(), { stdout: "first", stderr: "warning" });
      await project.up(command(JSON.stringify({ create, delete: remove, environment: { A: "1" } })));
      const update = `echo "update after [$PULUMI_COMMAND_STDOUT]" >> ${log}; printf 'second\\n\\n'`;
      await project.up(command(JSON.stringify({ create, update, delete: remove })));
      assert.deepEqual(await project.outputs(), { stdout: "second\n", stderr: "" });
      await project.must("destroy");
      assert.deepEqual(readFileSync(log, "utf8").trim().split("\n"), [
        "create after []",
        "create after [first]",
        "update after [first]",
        "delete after [second",
        "]",
      ]);
    });

    it("changes nothing on a second up and on a refresh", async () => {
      await project.up(command('{ create: "date +%N" }'));
      await project.must("up", "--expect-no-changes");
      await project.must("refresh", "--expect-no-changes");
    });

    it("is replaced when triggers change, also by a value that is not known yet", async () => {
      const triggered = (value: string) =>
        `const other = new command.local.Command("other", { create: "echo ${value}", triggers: ["${value}"] });` +
        command(`{ create: "echo it", update: "exit 1", triggers: [other.stdout] }`);
      await project.up(triggered("a"));
      project.program(triggered("b"));
      const preview = await project.pulumi("preview", "--stack", "test");
      assert.match(preview.output, /\+-2 to replace/);
      assert.match(await project.up(triggered("b")), /\+-2 replaced/);
    });

    it("keeps a secret stdin out of the plain state", async () => {
      await project.up(command('{ create: "wc -c", stdin: pulumi.secret("hush-hush") }'));
      assert.deepEqual(await project.outputs(), { stdout: "9", stderr: "" });
      assert.ok(!project.state().includes("hush-hush"));
    });

    it("reports a failing command with its status, text and output, and keeps nothing of it", async () => {
      const output = await project.mustFail(command('{ create: "echo before; echo reason >&2; exit 3" }'));
      assert.match(output, /exit status 3: running "echo before; echo reason >&2; exit 3":\s+before\s+reason/);
      assert.ok(!project.state().includes("command:local:Command"));
    });

    it("refuses a property that it does not know", async () => {
      // The typed class would drop it before the plugin sees it.
      const untyped = 'new pulumi.CustomResource("command:local:Command", "it", { creaet: "true" }, { version: "1.2.1" });';
      assert.match(await project.mustFail(untyped), /Unrecognized field 'creaet' on 'local\.CommandInputs'/);
    });

    it("is killed when the resource's time limit runs out", async () => {
      const output = await project.mustFail(command('{ create: "exec sleep 100" }', '{ customTimeouts: { create: "1s" } }'));
      assert.match(output, /signal: killed: running "exec sleep 100"/);
    });

    it("waits after its time limit for what the killed shell had started and that still holds its output", async () => {
      const log = join(project.directory, "log");
      const create = `sh -c 'sleep 3; echo end >${log}'; true`;
      await project.mustFail(command(JSON.stringify({ create }), '{ customTimeouts: { create: "1s" } }'));
      assert.equal(readFileSync(log, "utf8"), "end\n");
    });

    it("finds what it wrote last on both streams in its environment when it is updated and deleted", async () => {
      const log = join(project.directory, "log");
      const note = `echo "[$PULUMI_COMMAND_STDOUT] [$PULUMI_COMMAND_STDERR]" >> ${log}`;
      const args = (what: string) => command(JSON.stringify({ create: `${note}; echo ${what}; echo ${what} lines >&2`, delete: note }));
      await project.up(args("one"));
      await project.up(args("two"));
      await project.must("destroy");
      assert.equal(readFileSync(log, "utf8"), "[] []\n[one] [one lines]\n[two] [two lines]\n");
    });

    it("can be neither updated nor deleted once it wrote 128 KiB to one stream, which the environment has no room for", async () => {
      const write = (bytes: number) => `head -c ${bytes} /dev/zero | tr '\\0' x`;
      const args = (create: string) => command(JSON.stringify({ create, delete: "true" }));
      // The variable's name, "=" and the byte that ends it count too.
      const most = 128 * 1024 - "PULUMI_COMMAND_STDOUT=".length - 1;
      await project.up(args(`${write(most)}; ${write(most)} >&2`));
      await project.up(args(`${write(most)}; ${write(most + 1)} >&2`));
      assert.match(await project.mustFail(args("true")), /fork\/exec \/bin\/sh: argument list too long: running "true"/);
      const destroyed = await project.pulumi("destroy", "--yes", "--skip-preview", "--stack", "test");
      assert.match(destroyed.output, /argument list too long/);
      assert.equal(destroyed.ok, false);
      await project.pulumi("stack", "rm", "--force", "--yes", "--stack", "test");
    });
  });

  describe("remote.Command", () => {
    const hostKeys = utils.generateKeyPairSync("ed25519");
    const otherKeys = utils.generateKeyPairSync("ed25519");
    const server = new Server({ hostKeys: [hostKeys.private] }, (client) => {
      client.on("authentication", (attempt) => {
        if (attempt.method === "password" && attempt.password === "open sesame") attempt.accept();
        else attempt.reject(["password"]);
      });
      client.on("session", (accept) =>
        accept().on("exec", (acceptExec, _reject, { command }) => {
          const channel = acceptExec();
          const child = spawn("/bin/sh", ["-c", command]);
          channel.pipe(child.stdin);
          child.stdout.on("data", (data: Buffer) => channel.write(data));
          child.stderr.on("data", (data: Buffer) => channel.stderr.write(data));
          child.on("close", (status) => {
            channel.exit(status ?? 1);
            channel.end();
          });
        }),
      );
      client.on("error", () => undefined);
    });
    const remote = (hostKey: string, args: object) => {
      const { port } = server.address() as AddressInfo;
      const connection = { host: "127.0.0.1", port, user: "ali", password: "open sesame", hostKey, dialErrorLimit: 2 };
      return `const it = new command.remote.Command("it", ${JSON.stringify({ connection, ...args })}); exports.stdout = it.stdout;`;
    };

    before((done) => void server.listen(0, "127.0.0.1", done));
    after((done) => void server.close(() => done()));

    it("runs create, update and delete over a connection with a pinned host key", async () => {
      const log = join(project.directory, "log");
      await project.up(remote(hostKeys.public, { create: "cat; echo there", stdin: "in\n", delete: `echo gone >> ${log}` }));
      assert.deepEqual(await project.outputs(), { stdout: "in\nthere" });
      await project.up(remote(hostKeys.public, { create: "false", update: "echo again", delete: `echo gone >> ${log}` }));
      assert.deepEqual(await project.outputs(), { stdout: "again" });
      await project.must("destroy");
      assert.equal(readFileSync(log, "utf8"), "gone\n");
    });

    it("reports a failing command and refuses another host key than the pinned one", async () => {
      assert.match(await project.mustFail(remote(hostKeys.public, { create: "exit 4" })), /Process exited with status 4: running "exit 4"/);
      assert.match(await project.mustFail(remote(otherKeys.public, { create: "true" })), /after 2 failed attempts: .*[Hh]ost/);
    });
  });

  describe("docker behind ssh://", () => {
    it("is asked by ssh, and says what ssh said where it cannot be reached", async () => {
      const output = await project.mustFail(`
                const provider = new docker.Provider("there", { host: "ssh://root@127.0.0.1:1", sshOpts: ["-o", "BatchMode=yes"] });
                new docker.Secret("it", { data: "aGVsbG8=" }, { provider });`);
      assert.match(output, /Error pinging Docker server, please make sure that ssh:\/\/root@127\.0\.0\.1:1 is reachable/);
      assert.match(
        output,
        /command \[ssh -l root -p 1 -o BatchMode=yes .*-T -- 127\.0\.0\.1 .*docker system dial-stdio\] has exited with exit status 255/,
      );
      assert.match(output, /Connection refused/);
    });
  });

  describe("docker", () => {
    let image: string;

    before(function () {
      const images = spawnSync("docker", ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"], { encoding: "utf8" });
      const found = images.stdout?.split("\n").find((name) => /^(busybox|alpine|debian|pulumi-swarm-host):[^<]/.test(name));
      if (found === undefined && !succeeds("docker", "pull", "busybox:latest")) {
        const reason = images.status === 0 ? "no busybox image, and none can be pulled" : "no Docker daemon";
        this.test?.parent?.eachTest((test) => (test.title += ` (skipped: ${reason})`));
        this.skip();
      }
      image = found ?? "busybox:latest";
    });

    const machine = (args: object = {}) => {
      const all = { name: "plugins-test", command: ["sleep", "1000"], securityOpts: ["systempaths=unconfined"], image, ...args };
      return `
                const net = new docker.Network("net", { name: "plugins-test", ipamConfigs: [${JSON.stringify(SUBNET)}] });
                const it = new docker.Container("it", {
                    ...${JSON.stringify(all)},
                    networksAdvanced: [{ name: net.name, ipv4Address: "172.31.231.10" }],
                    uploads: [{ file: "/deep/er/file", content: pulumi.secret("hush-hush"), permissions: "0600" }],
                }, { ignoreChanges: ["image", "securityOpts"] });
                exports.address = it.networkDatas.apply((networks) => networks[0].ipAddress);`;
    };
    const inside = (...args: string[]) => spawnSync("docker", ["exec", "plugins-test", ...args], { encoding: "utf8" }).stdout.trim();

    it("makes a network and a container that stay unchanged over a second up and a refresh", async () => {
      await project.up(machine());
      assert.deepEqual(await project.outputs(), { address: "172.31.231.10" });
      assert.equal(inside("cat", "/deep/er/file"), "hush-hush");
      assert.equal(inside("stat", "-c", "%a", "/deep/er/file"), "600");
      assert.ok(!project.state().includes("hush-hush"));
      await project.must("up", "--expect-no-changes");
      await project.must("refresh", "--expect-no-changes");
      await project.must("up", "--expect-no-changes");
      await project.must("destroy");
      assert.ok(!succeeds("docker", "inspect", "plugins-test"), "container and network are gone");
    });

    it("updates memory in place and replaces for a new hostname, deleting the fixed name first", async () => {
      await project.up(machine({ memory: 64 }));
      assert.match(await project.up(machine({ memory: 32 })), /~ 1 updated/);
      assert.match(await project.up(machine({ memory: 32, hostname: "other" })), /deleting original[^]*\+-1 replaced/);
      assert.equal(inside("hostname"), "other");
    });

    it("drops a container that was removed behind its back, and makes it anew", async () => {
      await project.up(machine());
      assert.ok(succeeds("docker", "rm", "--force", "--volumes", "plugins-test"));
      assert.match(await project.must("refresh"), /- 1 deleted/);
      assert.match(await project.up(machine()), /\+ 1 created/);
    });

    it("shows a stopped container as no longer running, and the next update with a refresh starts it", async () => {
      await project.up(machine());
      assert.ok(succeeds("docker", "kill", "plugins-test"));
      assert.match(await project.must("refresh", "--diff"), /mustRun\s*: (?:true => )?false/);
      assert.match(await project.must("up", "--refresh"), /~ 1 updated/);
      assert.equal(inside("echo", "alive"), "alive");
      await project.must("up", "--expect-no-changes");
    });

    it("takes a container that exits at once for a success", async () => {
      await project.up(machine({ command: ["sh", "-c", "echo sad; exit 5"] }));
      const state = spawnSync("docker", ["container", "inspect", "--format", "{{.State.Status}} {{.State.ExitCode}}", "plugins-test"], {
        encoding: "utf8",
      });
      assert.equal(state.stdout.trim(), "exited 5");
    });

    it("stores every default of the provider's schema, without which the real plugin would replace what a stand-in made", async () => {
      await project.up(machine({ ports: [{ internal: 80 }] }));
      const { checkpoint } = JSON.parse(project.state()) as {
        checkpoint: { latest: { resources: { type: string; inputs?: object; outputs?: object }[] } };
      };
      const of = (type: string): { inputs: Record<string, unknown>; outputs: Record<string, unknown> } => {
        const { inputs = {}, outputs = {} } = checkpoint.latest.resources.find((resource) => resource.type === type) ?? {};
        return { inputs: { ...inputs }, outputs: { ...outputs } };
      };
      const container = {
        ...{ attach: false, logs: false, mustRun: true, networkMode: "bridge", readOnly: false, removeVolumes: true, restart: "no", rm: false },
        ...{ start: true, stdinOpen: false, tty: false, wait: false, waitTimeout: 60, containerReadRefreshTimeoutMilliseconds: 15000 },
      };
      const made = of("docker:index/container:Container");
      for (const [name, value] of Object.entries(container)) {
        assert.deepEqual([name, made.inputs[name], made.outputs[name]], [name, value, value]);
        assert.ok((made.inputs["__defaults"] as string[]).includes(name), name);
      }
      assert.match(JSON.stringify(made.outputs["ports"]), /"ip":"0\.0\.0\.0".*"protocol":"tcp"|"protocol":"tcp".*"ip":"0\.0\.0\.0"/);
      const network = of("docker:index/network:Network");
      assert.deepEqual([network.inputs["ipamDriver"], network.outputs["ipamDriver"]], ["default", "default"]);
      // What the real one reads of them: it was seen to replace both where `options`, `command` and `entrypoints` were missing.
      const seen = { attachable: false, ingress: false, internal: false, ipv6: false, labels: [], options: {}, scope: "local" };
      assert.deepEqual(Object.fromEntries(Object.keys(seen).map((key) => [key, network.outputs[key]])), seen);
      for (const key of [
        "command",
        "entrypoints",
        "init",
        "ipcMode",
        "logDriver",
        "platform",
        "runtime",
        "shmSize",
        "stopTimeout",
        "user",
        "workingDir",
      ]) {
        assert.notEqual(made.outputs[key], undefined, key);
      }
    });

    it("fails to remove a network that is in use, after its time", async () => {
      const net = `new docker.Network("net", { name: "plugins-test", ipamConfigs: [${JSON.stringify(SUBNET)}] });`;
      await project.up(net);
      assert.ok(succeeds("docker", "run", "--detach", "--name", "plugins-test", "--network", "plugins-test", "--entrypoint", "sleep", image, "1000"));
      try {
        const destroyed = await project.pulumi("destroy", "--yes", "--skip-preview", "--stack", "test");
        assert.match(destroyed.output, /timeout while waiting for state to become 'removed'/);
      } finally {
        succeeds("docker", "rm", "--force", "plugins-test");
      }
    });

    it("says which image it neither has nor can pull", async () => {
      const output = await project.mustFail(machine({ image: "127.0.0.1:9/no-such-image:1" }));
      assert.match(
        output,
        isStandIn("docker") ? /image 127\.0\.0\.1:9\/no-such-image:1: not in the daemon, and pulling it failed: / : /no-such-image:1/,
      );
    });
  });
});
