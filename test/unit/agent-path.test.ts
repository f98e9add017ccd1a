import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describeVersioned, pathInState } from "../../components/agents/path";

const inPackage = "dist/components/agents/swarm-up.js";
const stable = `node_modules/pulumi-swarm/${inPackage}`;

describe("the path of our programs in Pulumi's state", () => {
  let home = "";
  beforeEach(() => {
    home = realpathSync(mkdtempSync(join(tmpdir(), "pulumi-swarm-paths-")));
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  /** The package in a folder, as a package manager puts it there. */
  function installed(folder: string, version = "0.1.0"): string {
    const file = join(home, folder, inPackage);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "");
    writeFileSync(join(home, folder, "package.json"), JSON.stringify({ name: "pulumi-swarm", version }));
    return file;
  }
  function link(at: string, folder: string): void {
    mkdirSync(dirname(join(home, at)), { recursive: true });
    symlinkSync(join(home, folder), join(home, at));
  }
  function stored(file: string, project = "project", sharedWithPlugin = true): string {
    mkdirSync(join(home, project), { recursive: true });
    return pathInState(file, { folder: join(home, project), sharedWithPlugin });
  }

  describe("is as it always was where npm copies the package", () => {
    for (const [what, folder, project, path] of [
      ["into the project", "project/node_modules/pulumi-swarm", "project", stable],
      ["into the root of a workspace", "node_modules/pulumi-swarm", "packages/infra", `../../${stable}`],
      ["and the program is in a folder of its own", "project/node_modules/pulumi-swarm", "project/stacks", `../${stable}`],
      ["into a project whose folder has a version in its name", "infra-0.1.0/node_modules/pulumi-swarm", "infra-0.1.0", stable],
    ] as const) {
      it(what, () => assert.equal(stored(installed(folder), project), path));
    }

    it("and where it is a checkout that is linked", () => {
      const file = installed("pulumi-swarm");
      link("project/node_modules/pulumi-swarm", "pulumi-swarm");
      assert.equal(stored(file), `../pulumi-swarm/${inPackage}`);
    });

    it("and where node_modules itself is a link", () => {
      const file = installed("cache/node_modules/pulumi-swarm");
      link("project/node_modules", "cache/node_modules");
      assert.equal(stored(file), `../cache/${stable}`);
    });
  });

  describe("has no version in it", () => {
    for (const [manager, store] of [
      ["pnpm", "project/node_modules/.pnpm/pulumi-swarm@0.1.0_@pulumi+aws@7.48.0/node_modules/pulumi-swarm"],
      ["pnpm, from git", "project/node_modules/.pnpm/pulumi-swarm@git+https+++example.org+swarm+1f2e3d/node_modules/pulumi-swarm"],
      ["pnpm with one store for all projects", "store/links/@/pulumi-swarm/0.1.0/5c1b/node_modules/pulumi-swarm"],
      ["Yarn with links", "project/node_modules/.store/pulumi-swarm-npm-0.1.0-8f3b1c2d/package"],
      ["npm with links", "project/node_modules/.store/pulumi-swarm@0.1.0-HsW1/node_modules/pulumi-swarm"],
      ["Bun with links", "project/node_modules/.bun/pulumi-swarm@0.1.0/node_modules/pulumi-swarm"],
    ] as const) {
      it(`by ${manager}`, () => {
        const file = installed(store);
        link("project/node_modules/pulumi-swarm", store);
        assert.equal(stored(file), stable);
        assert.equal(describeVersioned(stored(file), file), undefined);
      });
    }

    it("in a workspace of pnpm", () => {
      const store = "node_modules/.pnpm/pulumi-swarm@0.1.0/node_modules/pulumi-swarm";
      const file = installed(store);
      link("packages/infra/node_modules/pulumi-swarm", store);
      assert.equal(stored(file, "packages/infra"), stable);
      assert.equal(stored(file, "packages/infra/stacks"), `../${stable}`);
    });

    it("where another package of the project depends on this one, by pnpm", () => {
      const store = "project/node_modules/.pnpm/pulumi-swarm@0.1.0/node_modules/pulumi-swarm";
      const file = installed(store);
      link("project/node_modules/.pnpm/node_modules/pulumi-swarm", store);
      assert.equal(stored(file), `node_modules/.pnpm/node_modules/pulumi-swarm/${inPackage}`);
      assert.equal(describeVersioned(stored(file), file), undefined);
    });

    it("where the command plugin runs elsewhere than the program", () => {
      const store = "node_modules/.pnpm/pulumi-swarm@0.1.0/node_modules/pulumi-swarm";
      const file = installed(store);
      link("node_modules/pulumi-swarm", store);
      assert.equal(stored(file, "work", false), join(home, stable));
    });
  });

  it("is the same after an upgrade", () => {
    const paths = ["0.1.0", "0.2.0"].map((version) => {
      const store = `project/node_modules/.pnpm/pulumi-swarm@${version}/node_modules/pulumi-swarm`;
      const file = installed(store, version);
      rmSync(join(home, "project/node_modules/pulumi-swarm"), { force: true });
      link("project/node_modules/pulumi-swarm", store);
      return stored(file);
    });
    assert.deepEqual(paths, [stable, stable]);
  });

  it("is not that of a link to another version", () => {
    const store = "project/node_modules/.pnpm/pulumi-swarm@0.2.0/node_modules/pulumi-swarm";
    installed(store, "0.2.0");
    link("project/node_modules/pulumi-swarm", store);
    const file = installed("project/node_modules/.pnpm/pulumi-swarm@0.1.0/node_modules/pulumi-swarm");
    assert.equal(stored(file), `node_modules/.pnpm/pulumi-swarm@0.1.0/${stable}`);
  });

  it("is warned of where only the version's own folder is there", () => {
    const file = installed("plugins/resource-swarm-v0.1.0");
    const path = stored(file, "project", false);
    assert.equal(path, file);
    assert.equal(
      describeVersioned(path, file),
      `The state names ${path}, a folder of version 0.1.0 of pulumi-swarm alone. After an upgrade, run "pulumi up" before "pulumi destroy". ` +
        "Fix: add pulumi-swarm to the dependencies of the package.json beside Pulumi.yaml, so that the state names node_modules/pulumi-swarm",
    );
    assert.equal(describeVersioned(stored(installed("plugins/swarm-10.1.0")), installed("plugins/swarm-10.1.0")), undefined, "no other number");
  });
});
