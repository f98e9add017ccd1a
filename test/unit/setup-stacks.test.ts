import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Plain JavaScript, because the setup runs before anything is compiled.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { stacksWith } = require("../../tools/setup/stacks.js") as { stacksWith: (state: string, provider: string) => string[] };
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { keptFor, replacedFor, madeBy } = require("../../tools/setup/plugins.js") as {
  keptFor: (plugin: object, stacks: readonly string[]) => string;
  replacedFor: (plugin: object, stacks: readonly string[]) => string;
  madeBy: (plugins: string, name: string) => { readonly standIn: boolean; readonly real: boolean };
};

describe("the setup, before it replaces a stand-in plugin", () => {
  const state = mkdtempSync(join(tmpdir(), "stacks-"));
  after(() => rmSync(state, { recursive: true }));

  it("finds the stacks with resources that it made, and not those that were destroyed, nor copies of older states", () => {
    const folder = join(state, ".pulumi", "stacks", "demo");
    assert.deepEqual(stacksWith(state, "docker"), [], "there is no state at all yet");
    mkdirSync(folder, { recursive: true });
    const write = (file: string, latest: object | null): void =>
      writeFileSync(join(folder, file), JSON.stringify({ version: 3, checkpoint: { latest } }));
    write("local.json", { resources: [{ type: "pulumi:pulumi:Stack" }, { type: "docker:index/container:Container" }] });
    write("hosts.json", { resources: [{ type: "command:local:Command" }] });
    write("gone.json", { resources: [] });
    write("new.json", null);
    write("gone.json.bak", { resources: [{ type: "docker:index/container:Container" }] });
    assert.deepEqual(stacksWith(state, "docker"), ["demo/local"]);
    assert.deepEqual(stacksWith(state, "command"), ["demo/hosts"]);
  });

  it("says that it keeps it, for which stacks, why, and how to get the real one", () => {
    assert.equal(
      keptFor({ name: "docker", version: "5.2.0" }, ["demo/local", "demo/other"]),
      "Pulumi's own docker 5.2.0 can be downloaded now, but the stand-in stays, since it made resources of demo/local, demo/other: " +
        'the real plugin could replace them with all that runs on them. To change to it, destroy these stacks and run "npm run setup" again',
    );
  });

  it("says that a stand-in takes the place of the real one where another version cannot be had, and for which stacks", () => {
    assert.equal(
      replacedFor({ name: "docker", version: "5.3.0" }, ["demo/local"]),
      "Pulumi's own docker 5.3.0 cannot be downloaded now, so a stand-in takes its place, also for demo/local, which an earlier version of Pulumi's own made: " +
        'the stand-in could replace what is there. Before the next "pulumi up" of these stacks, look at its preview, or run "npm run setup" again where the download works',
    );
  });

  it("knows which kind made them though the version is another one since", () => {
    const plugins = join(state, "plugins");
    assert.deepEqual(madeBy(plugins, "docker"), { standIn: false, real: false });
    mkdirSync(join(plugins, "resource-docker-v5.1.0"), { recursive: true });
    writeFileSync(join(plugins, "resource-docker-v5.1.0.lock"), "");
    mkdirSync(join(plugins, "resource-docker-build-v0.1.0"));
    assert.deepEqual(madeBy(plugins, "docker"), { standIn: false, real: true });
    mkdirSync(join(plugins, "resource-docker-v5.2.0"));
    writeFileSync(join(plugins, "resource-docker-v5.2.0", "STAND-IN"), "");
    assert.deepEqual(madeBy(plugins, "docker"), { standIn: true, real: true });
  });
});
