import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";

const components = join(__dirname, "../../components");
const scripts = readdirSync(components, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".sh"));

function run(program: string, ...args: string[]): { readonly there: boolean; readonly said: string; readonly status: number | null } {
  const { error, stdout, stderr, status } = spawnSync(program, args, { cwd: components, encoding: "utf8" });
  return { there: error === undefined, said: `${stdout}${stderr}`, status };
}

describe("scripts that run on hosts", () => {
  it("are where they are looked for", () => {
    assert.ok(scripts.includes(join("engine", "engine.sh")) && scripts.includes(join("engine", "probe.sh")), scripts.join(", "));
  });

  for (const script of scripts) {
    for (const shell of ["sh", "dash", "bash"]) {
      it(`${script} can be read by ${shell}`, function () {
        const { there, said, status } = run(shell, "-n", script);
        if (!there) this.skip();
        assert.equal(status, 0, said);
      });
    }

    it(`${script} is shellcheck clean`, function () {
      const { there, said, status } = run("shellcheck", "--shell=sh", script);
      if (!there) {
        process.stdout.write("      (shellcheck is not installed: apt-get install shellcheck)\n");
        this.skip();
      }
      assert.equal(status, 0, said);
    });

    it(`${script} refuses a verb that it does not know, or has none`, function () {
      const text = run("cat", script).said;
      if (!/^case "\$1"/m.test(text)) this.skip();
      const common = join(dirname(script), "common.sh");
      const parts = [join("remote", "prelude.sh"), common, script].filter((part) => existsSync(join(components, part)));
      const { said, status } = run("sh", "-c", parts.map((part) => `. ./${part}`).join("; "), "sh", "no-such-verb");
      assert.equal(status, 1);
      assert.match(said, /unknown verb no-such-verb/);
    });
  }
});
