import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import type { NetworkFile } from "../../tools/lab/namespace";
import { type CommandResult, root, run } from "../../tools/lab/pulumi";
import { ours, pack } from "../package/packed";

// eslint-disable-next-line @typescript-eslint/no-require-imports
const { labEnv } = require("../../tools/setup/env.js") as { labEnv: () => NodeJS.ProcessEnv };

/** A section of a page: its blocks in their order. */
function blocks(page: string, heading: string): readonly { readonly language: string; readonly text: string }[] {
  const words = readFileSync(join(root, page), "utf8");
  const [, behind = assert.fail(`${page} has no ${heading}`)] = words.split(`\n${heading}\n`);
  const [section = ""] = behind.split(/^#{2,3} /m);
  return [...section.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, language = "", text = ""]) => ({ language, text }));
}

export function only(page: string, heading: string, language: string): string {
  const [block, ...others] = blocks(page, heading).filter((each) => each.language === language);
  assert.ok(block !== undefined && others.length === 0, `${heading} has not one block of ${language}`);
  return block.text;
}

interface Where {
  /** @default - the folder that the README's first commands make */
  readonly cwd?: string;
  /** Whose network it runs in. @default - that of this machine */
  readonly network?: NetworkFile;
  readonly env?: NodeJS.ProcessEnv;
}

/** A person who follows a page in an empty folder, with nothing but the packed package. */
export class Stranger {
  readonly folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-quick-"));
  readonly shop = join(this.folder, "shop");
  readonly key = join(this.folder, "home", ".ssh", "id_ed25519");
  private words = "";

  async begin(): Promise<void> {
    this.words = this.meaning((await pack(this.folder)).tarball);
  }

  end(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /**
   * What a person does otherwise than a test: they answer Pulumi's questions, npm gives them the newest versions and the package itself,
   * and their ssh knows their machines. Here: the versions of this project, and the tarball.
   */
  private meaning(tarball: string): string {
    const pinned = ["@pulumi/pulumi", "@pulumi/docker"].map((each) => `${each}) word=${each}@${ours(each)};;`).join(" ");
    return [
      "set -eu",
      `pulumi() { case "$1 \${2-}" in login*) ;; up*|destroy*) command pulumi "$@" --yes --skip-preview --color never;; "stack rm") command pulumi "$@" --yes;; *) command pulumi "$@";; esac; }`,
      `npm() { words=; for word in "$@"; do case $word in pulumi-swarm) word="${tarball} @pulumi/command@${ours("@pulumi/command")}";; ${pinned} esac; words="$words $word"; done; command npm $words --no-audit --no-fund --prefer-offline; }`,
      `ssh() { command ssh -i ${this.key} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "$@"; }`,
    ].join("\n");
  }

  async follow(script: string, { cwd = this.shop, network, env = {} }: Where = {}): Promise<CommandResult> {
    const whole = {
      ...labEnv(),
      HOME: join(this.folder, "home"),
      npm_config_cache: process.env["npm_config_cache"] ?? join(homedir(), ".npm"),
      PULUMI_BACKEND_URL: `file://${this.folder}`,
      ...env,
    };
    const shell = ["sh", "-c", `${this.words}\n${script}`] as const;
    const [program, ...args] = network === undefined ? shell : (["nsenter", `--net=${network}`, ...shell] as const);
    const done = await run(program, args, { cwd, env: whole });
    assert.equal(done.code, 0, done.stdout + done.stderr);
    return done;
  }
}
