import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, lstatSync, mkdirSync, mkdtempSync, readlinkSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathInState } from "../../components/agents/path";
import { linkIntoProject } from "../../plugin/link";

describe("the link from a project to a plugin that Pulumi fetched", () => {
  let home = "";
  let project = "";
  let link = "";
  beforeEach(() => {
    home = realpathSync(mkdtempSync(join(tmpdir(), "pulumi-swarm-link-")));
    project = join(home, "project");
    link = join(project, "node_modules", "pulumi-swarm");
    mkdirSync(join(project, "stacks"), { recursive: true });
    writeFileSync(join(project, "Pulumi.yaml"), "name: project\nruntime: yaml\n");
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  /** As Pulumi keeps it; a version that is a commit's hash begins with zeros. */
  function plugin(version: string, of = "0.1.0"): string {
    const folder = join(home, "plugins", `resource-git.example.org_owner_repo.git_plugin-v${version}`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "pulumi-swarm", version: of }));
    return folder;
  }

  it("is what states name, for a version and for a commit", () => {
    for (const version of ["0.1.0", "0.0.0-x16bd96af974f291ee22dde6c5436ac6bbe905dcb"]) {
      const folder = plugin(version);
      linkIntoProject(folder, project);
      assert.equal(pathInState(join(folder, "up.js"), { folder: project, sharedWithPlugin: true }), "node_modules/pulumi-swarm/up.js");
    }
  });

  it("leads to the newer version after an upgrade, also where the older one is gone", () => {
    linkIntoProject(plugin("0.1.0"), project);
    rmSync(plugin("0.1.0"), { recursive: true });
    linkIntoProject(plugin("0.2.0"), project);
    linkIntoProject(plugin("0.2.0"), project);
    assert.equal(readlinkSync(link), plugin("0.2.0"));
  });

  it("is made beside Pulumi.yaml, from a folder below it too", () => {
    linkIntoProject(plugin("0.1.0"), join(project, "stacks"));
    assert.equal(readlinkSync(link), plugin("0.1.0"));
  });

  it("takes no place of what a package manager or the user put there", () => {
    mkdirSync(link, { recursive: true });
    linkIntoProject(plugin("0.1.0"), project);
    assert.ok(lstatSync(link).isDirectory());
    rmSync(link, { recursive: true });
    const checkout = join(home, "checkout");
    symlinkSync(checkout, link);
    linkIntoProject(plugin("0.1.0"), project);
    assert.equal(readlinkSync(link), checkout);
  });

  it("is not made outside a project, nor for a package that is installed otherwise", () => {
    linkIntoProject(plugin("0.1.0"), home);
    linkIntoProject(join(home, "node_modules", "pulumi-swarm"), project);
    assert.equal(lstatSync(link, { throwIfNoEntry: false }), undefined);
    assert.equal(lstatSync(join(home, "node_modules"), { throwIfNoEntry: false }), undefined);
  });
});

describe("a plugin that npm was not allowed to build", () => {
  it("says so where it is started, and what to run", () => {
    const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-unbuilt-"));
    try {
      const plugin = join(folder, "plugin");
      mkdirSync(plugin);
      copyFileSync(join(__dirname, "..", "..", "plugin", "main.js"), join(plugin, "main.js"));
      const { status, stderr } = spawnSync(process.execPath, [join(plugin, "main.js")], { encoding: "utf8" });
      assert.equal(status, 1);
      assert.equal(
        stderr,
        `The plugin in ${plugin} is not built: there is no ${join(folder, "dist", "plugin", "provider.js")}. ` +
          `Fix: run "node install.js" in ${plugin}; npm does so unless it is told to ignore scripts\n`,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
