import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brokenLinks } from "../../tools/docs/links";
import { Types, withTables } from "../../tools/docs/options";
import { pagesIn } from "../../tools/docs/pages";

const root = join(__dirname, "..", "..");

describe("the pages", function () {
  this.timeout(60_000);
  const pages = readdirSync(join(root, "docs")).filter((file) => file.endsWith(".md"));
  let types: Types;
  before(() => {
    types = new Types(join(root, "components"));
  });

  it("have tables of options as the types have them (npm run docs writes them)", () => {
    let tables = 0;
    for (const page of pages) {
      const text = readFileSync(join(root, "docs", page), "utf8");
      tables += [...text.matchAll(/<!-- options:\w+ -->/g)].length;
      assert.equal(text, withTables(text, types), `docs/${page} is stale: npm run docs`);
    }
    assert.ok(tables >= 8, `${tables} tables`);
  });

  it("have tables of all options that a program may give to a cluster and to hosts", () => {
    const said = pages.map((page) => readFileSync(join(root, "docs", page), "utf8")).join("\n");
    for (const name of [
      "AwsHostsArgs",
      "AwsHostArgs",
      "AwsVpc",
      "AwsSubnet",
      "Bastion",
      "HetznerHostsArgs",
      "HetznerHostArgs",
      "HetznerNetwork",
      "LocalHostsArgs",
      "ExistingHostsArgs",
      "ExistingMachine",
      "SwarmClusterArgs",
      "NetworkArgs",
      "NativeArgs",
      "FlannelArgs",
      "WeaveArgs",
      "WireGuardArgs",
      "ProgramsArgs",
      "FirewallArgs",
      "ExposeArgs",
      "AllowArgs",
      "RuleArgs",
      "EngineArgs",
      "MembershipArgs",
      "AdoptArgs",
      "SwarmOptions",
      "DockerProviderArgs",
    ]) {
      assert.ok(said.includes(`<!-- options:${name} -->`), name);
    }
  });

  it("link to files and headings that are there", () => {
    const read = pagesIn(root);
    for (const page of ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/aws.md", "docs/api/index.md"]) assert.ok(read.includes(page), page);
    assert.deepEqual(
      read.flatMap((page) => brokenLinks(root, page)),
      [],
    );
  });

  it("are told of a link that leads nowhere", () => {
    const text = [
      "[a](gone.md) [b](ci.md#nothing-here) [c](../../etc/passwd) [d](http:nowhere) [e](ci.md#what-each-stack-needs) [f](#twice-1)",
      "# Twice",
      "# Twice",
      '`[in code](gone.md)` <img src="pictures/gone.svg">',
      "```\n[in a block](gone.md)\n# No heading\n```",
      "[g](#no-heading)",
    ];
    assert.deepEqual(brokenLinks(root, "docs/page.md", text.join("\n")), [
      "docs/page.md: gone.md: there is no such file",
      "docs/page.md: ci.md#nothing-here: there is no such heading",
      "docs/page.md: ../../etc/passwd: leads out of the repository",
      "docs/page.md: #no-heading: there is no such heading",
      "docs/page.md: pictures/gone.svg: there is no such file",
    ]);
  });
});

describe("a table of options", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "options-"));
    writeFileSync(
      join(folder, "args.ts"),
      `export type Size = "small" | "large";
       interface Common {
         /** How many. @default 1 */
         readonly count?: number;
       }
       export interface Args extends Common {
         /** Where,
          * in two lines. */
         readonly place: pulumi.Input<string>;
         /** @default "small" - it is enough */
         readonly size?: Size | { readonly id: string };
         /** By name. @default - none of \`these\` */
         readonly all?: Readonly<Record<string, readonly string[]>>;
         call(): void;
       }
       interface Twice {}
       interface Twice {}`,
    );
  });
  after(() => rmSync(folder, { recursive: true }));

  const page = (inside: string, name = "Args"): string => `before\n<!-- options:${name} -->\n${inside}<!-- /options -->\nafter | it\n`;

  it("is written from the interface and those it extends, and the rest of the page stays", () => {
    const expected = page(
      [
        "| option | type | default | meaning |",
        "| --- | --- | --- | --- |",
        "| `place` | `Input<string>` | **required** | Where, in two lines. |",
        "| `count` | `number` | `1` | How many. |",
        '| `size` | `"small" \\| "large" \\| { id: string; }` | `"small"`; it is enough |  |',
        "| `all` | `Record<string, string[]>` | none of `these` | By name. |",
        "",
      ].join("\n"),
    );
    assert.equal(withTables(page(""), new Types(folder)), expected);
    assert.equal(withTables(page("| stale |\n"), new Types(folder)), expected, "what stood there goes");
  });

  it("is refused where there is no such interface, or more than one", () => {
    assert.throws(() => withTables(page("", "Nothing"), new Types(folder)), {
      message: "there is no interface Nothing. Fix: name one of components/ in the marker options:Nothing",
    });
    assert.throws(() => withTables(page("", "Twice"), new Types(folder)), /^Error: two interfaces are called Twice\. Fix: /);
  });
});
