import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { loadHostScript, scriptInput } from "../../components/remote/script";
import { deriveSshKey } from "../../components/remote/ssh-key";

const script = loadHostScript(join(__dirname, "../../components/login"), "login.sh");
const [own, former, other] = ["own", "former", "other"].map((label) => deriveSshKey("login", label).publicKey) as [string, string, string];
const blobOf = (key: string): string => key.split(" ")[1] ?? "";
const user = userInfo().username;

interface Answer {
  readonly file: string;
  readonly has: boolean;
  readonly former: number;
}

/** A host with one user, on which sshd says what it is told here. */
class Host {
  readonly home = mkdtempSync(join(tmpdir(), "login-"));
  private readonly programs = mkdtempSync(join(tmpdir(), "login-bin-"));

  /** @param sshd Its AuthorizedKeysFile. @default - there is no sshd that could be asked */
  constructor(sshd?: string) {
    this.program("getent", `[ "$2" = "${user}" ] && echo "${user}:x:0:0::${this.home}:/bin/sh"`);
    this.program("sshd", sshd === undefined ? "exit 1" : `printf 'port 22\\nauthorizedkeysfile %s\\nloglevel INFO\\n' '${sshd}'`);
    this.program("sync", "exit 0");
  }

  program(name: string, text: string): void {
    writeFileSync(join(this.programs, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(this.programs, name), 0o755);
  }

  write(name: string, ...lines: readonly string[]): string {
    const file = join(this.home, name);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, lines.map((line) => `${line}\n`).join(""), { mode: 0o640 });
    return file;
  }

  run(verb: string, values: Readonly<Record<string, string>> = {}): { readonly answer: Answer | undefined; readonly said: string } {
    const input = scriptInput(script, verb, { USER: user, NEW: own, BEFORE: blobOf(former), ...values });
    const env = { PATH: `${this.programs}:${process.env["PATH"]}` };
    const { stdout, stderr, status } = spawnSync("sh", ["-s"], { input, encoding: "utf8", env });
    return { answer: status === 0 ? (JSON.parse(stdout) as Answer) : undefined, said: stderr };
  }

  end(): void {
    for (const folder of [this.home, this.programs]) rmSync(folder, { recursive: true });
  }
}

describe("keys that log in to a host", () => {
  const hosts: Host[] = [];
  const made = (sshd?: string): Host => {
    const host = new Host(sshd);
    hosts.push(host);
    return host;
  };
  afterEach(() => hosts.splice(0).forEach((host) => host.end()));

  it("become another one with the place, the options and the comment of the former, and all others stay", () => {
    const host = made(".ssh/authorized_keys .ssh/authorized_keys2");
    const options = 'from="10.0.0.0/8, 192.0.2.1",no-agent-forwarding,command="echo  \\"a b\\""';
    const lines = ["# ours", `${other} laptop`, "", `${options} ${former} ops@example  twice`, `# ${former}`];
    const file = host.write(".ssh/authorized_keys", ...lines);
    assert.deepEqual(host.run("look").answer, { file, has: false, former: 1 });
    assert.deepEqual(readFileSync(file, "utf8").split("\n").slice(0, -1), lines, "a look changes nothing");

    const beside = [...lines.slice(0, 4), `${options} ${own} ops@example  twice`, `# ${former}`];
    for (const time of ["once", "again"]) {
      assert.deepEqual(host.run("admit").answer, { file, has: true, former: 1 }, time);
      assert.deepEqual(readFileSync(file, "utf8").split("\n").slice(0, -1), beside, time);
    }

    for (const time of ["once", "again"]) {
      assert.deepEqual(host.run("dismiss").answer, { file, has: true, former: 0 }, time);
      assert.deepEqual(readFileSync(file, "utf8").split("\n").slice(0, -1), [...lines.slice(0, 3), ...beside.slice(4)], time);
    }
    assert.equal(statSync(file).mode & 0o777, 0o640);
  });

  it("are looked for in each file that sshd reads, by its own words for the user and the home", () => {
    const host = made("%h/keys/%u /nonexistent/%u none");
    const file = host.write(`keys/${user}`, `${former} a`, `${former} b`);
    assert.deepEqual(host.run("admit").answer, { file, has: true, former: 2 });
    assert.deepEqual(host.run("dismiss").answer, { file, has: true, former: 0 });
    assert.equal(readFileSync(file, "utf8"), `${own} a\n`);
  });

  it("are taken out of the second file, too", () => {
    const host = made(".ssh/authorized_keys .ssh/authorized_keys2");
    host.write(".ssh/authorized_keys", own);
    const second = host.write(".ssh/authorized_keys2", former, other);
    assert.deepEqual(host.run("dismiss").answer?.former, 0);
    assert.equal(readFileSync(second, "utf8"), `${other}\n`);
  });

  it("are where all servers look, where this one does not say", () => {
    const host = made();
    const answer = host.run("admit").answer;
    const file = join(host.home, ".ssh/authorized_keys");
    assert.deepEqual(answer, { file, has: true, former: 0 });
    assert.equal(readFileSync(file, "utf8"), `${own}\n`);
    assert.deepEqual([statSync(file).mode & 0o777, statSync(join(host.home, ".ssh")).mode & 0o777], [0o600, 0o700]);
  });

  it("are added at the end where the former one came from elsewhere, such as a directory of users", () => {
    const host = made(".ssh/authorized_keys");
    const file = host.write(".ssh/authorized_keys", other);
    assert.deepEqual(host.run("admit").answer, { file, has: true, former: 0 });
    assert.equal(readFileSync(file, "utf8"), `${other}\n${own}\n`);
  });

  it("stay as they are where the new one is in no file", () => {
    const host = made(".ssh/authorized_keys");
    const file = host.write(".ssh/authorized_keys", former);
    const { answer, said } = host.run("dismiss");
    assert.equal(answer, undefined);
    assert.match(said, new RegExp(`^the new key of ${user} is in none of ${file}, so the former one stays$`, "m"));
    assert.equal(readFileSync(file, "utf8"), `${former}\n`);
  });

  it("stay as they are where the file cannot be written, and nothing half is left", () => {
    const host = made(".ssh/authorized_keys");
    const file = host.write(".ssh/authorized_keys", former);
    host.program("mv", "echo 'mv: cannot move: Operation not permitted' >&2; exit 1");
    const { answer, said } = host.run("admit");
    assert.equal(answer, undefined);
    assert.match(said, /authorized_keys cannot be written, so it is as it was: Operation not permitted/);
    assert.ok(!existsSync(`${file}.new`));
    assert.equal(readFileSync(file, "utf8"), `${former}\n`);
  });

  it("go on where a run was cut off between the two", () => {
    const host = made(".ssh/authorized_keys");
    const file = host.write(".ssh/authorized_keys", former);
    writeFileSync(`${file}.new`, "half of a");
    host.run("admit");
    assert.deepEqual(host.run("look").answer, { file, has: true, former: 1 });
    host.run("dismiss");
    assert.equal(readFileSync(file, "utf8"), `${own}\n`);
    assert.ok(!existsSync(`${file}.new`));
  });

  it("are refused where sshd looks in no file, and for a user that nobody knows", () => {
    assert.match(made("none").run("look").said, /sshd looks for the keys of \S+ in no file \(AuthorizedKeysFile none\)\. Fix: /);
    assert.match(made().run("look", { USER: "nobody-here" }).said, /^this host knows no user nobody-here$/m);
  });

  it("may lie behind a link", () => {
    const host = made(".ssh/authorized_keys");
    const real = host.write("elsewhere", former);
    mkdirSync(join(host.home, ".ssh"));
    symlinkSync(real, join(host.home, ".ssh/authorized_keys"));
    host.run("admit");
    host.run("dismiss");
    // Of a file that others may write to, sshd takes no key: the mode of a link is 777.
    assert.deepEqual([readFileSync(real, "utf8"), statSync(real).mode & 0o777], [`${own}\n`, 0o640]);
    assert.ok(lstatSync(join(host.home, ".ssh/authorized_keys")).isSymbolicLink());
  });
});
