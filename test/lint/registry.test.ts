import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

const root = join(__dirname, "..", "..");
const read = (...path: readonly string[]): string => readFileSync(join(root, ...path), "utf8");

interface Manifest {
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly author: string;
  readonly homepage: string;
  readonly keywords: readonly string[];
  readonly repository: { readonly url: string };
}

interface Shown {
  readonly name: string;
  readonly displayName: string;
  readonly publisher: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly homepage: string;
  readonly repository: string;
  readonly logoUrl: string;
  readonly keywords: readonly string[];
}

const own = JSON.parse(read("package.json")) as Manifest;
const shown = JSON.parse(read("plugin", "schema.json")) as Shown;

describe("what Pulumi's registry shows", () => {
  it("is all that it knows of a package, as package.json has it", () => {
    const { name, displayName, publisher, version, description, license, homepage, repository } = shown;
    assert.deepEqual(
      { name, displayName, publisher, version, description, license, homepage, repository },
      {
        name: "swarm",
        displayName: "Docker Swarm",
        publisher: own.author,
        version: own.version,
        description: own.description,
        license: own.license,
        homepage: own.homepage,
        repository: own.repository.url.replace(/^git\+|\.git$/g, ""),
      },
    );
  });

  it("has the registry's two keywords beside the package's own", () => {
    assert.deepEqual(shown.keywords, [...own.keywords, "kind/component", "category/infrastructure"]);
  });

  it("has a logo that is in the repository, in a form that NuGet takes too", () => {
    const [, file = ""] = /^https:\/\/raw\.githubusercontent\.com\/pulumi-swarm\/pulumi-swarm\/main\/(.+)$/.exec(shown.logoUrl) ?? [];
    assert.ok(file !== "" && existsSync(join(root, file)), shown.logoUrl);
    assert.equal(readFileSync(join(root, file)).subarray(1, 4).toString(), "PNG");
  });

  for (const page of ["_index", "installation-configuration"]) {
    it(`has a page docs/${page}.md with a title, a description for searches and the layout of packages`, () => {
      const [, head = "", text = ""] = /^---\n([^]*?)\n---\n([^]*)$/.exec(read("docs", `${page}.md`)) ?? [];
      const front = parse(head) as Readonly<Record<string, string>>;
      assert.deepEqual(Object.keys(front), ["title", "meta_desc", "layout"]);
      assert.match(front["title"] ?? "", /^Docker Swarm\b/);
      assert.equal(front["layout"], "package");
      const length = front["meta_desc"]?.length ?? 0;
      assert.ok(length >= 40 && length <= 160, `meta_desc has ${length} characters; searches show 40 to 160`);
      assert.match(text, /\n# /);
    });
  }
});

describe("the version of the package", () => {
  it("is the one that pages have their reader install from git", () => {
    const pages = ["docs/languages.md", "docs/installation-configuration.md"];
    for (const page of pages) {
      const named = [...read(page).matchAll(/\/plugin@([\w.-]+)/g)].map(([, version]) => version);
      assert.ok(named.length > 0, page);
      assert.deepEqual([...new Set(named)], [own.version], page);
    }
  });

  it("is the one that the example in Go needs", () => {
    assert.ok(read("examples", "go", "go.mod").includes(`/sdk/go v${own.version}\n`));
  });
});
