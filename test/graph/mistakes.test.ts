import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { javascript } from "./mistakes/javascript";
import { told, toldInYaml, warnedOf } from "./mistakes/told";
import { warned } from "./mistakes/warned";
import { yaml } from "./mistakes/yaml";

/*
 * The table of mistakes: what newcomers write, and all that they are told. The golden files are to be read as a newcomer would, before
 * they are accepted (UPDATE_GOLDEN=1 writes them).
 */

const folder = join(__dirname, "golden", "mistakes");
const least = 350;

const groups: Readonly<Record<string, readonly (readonly [title: string, code: string, said: string])[]>> = {
  ...Object.fromEntries(Object.entries(javascript).map(([group, rows]) => [group, rows.map(([title, line]) => [title, line, told(line)] as const)])),
  yaml: yaml.map(([title, lines]) => [title, lines, toldInYaml(lines)] as const),
  warned: warned.map(([title, line]) => [title, line, warnedOf(line)] as const),
};

describe("the table of mistakes", () => {
  const all = Object.values(groups).flat();

  it(`has ${least} of them and more, none twice`, () => {
    assert.ok(all.length >= least, `${all.length}`);
    for (const rows of Object.values(groups)) assert.equal(new Set(rows.map(([, code]) => code)).size, rows.length);
  });

  for (const [group, rows] of Object.entries(groups)) {
    describe(group, () => {
      for (const [title, , said] of rows) {
        it(`answers ${title}`, () => {
          assert.notEqual(said, "", "nobody is told");
          assert.match(said, group === "warned" ? /^look at {2}\S/ : /^(The|There) [^\n]+\n? ?[^]*Fix: /);
          assert.doesNotMatch(said, /undefined|\[object |^ +at /m);
        });
      }

      it("is answered as it was when a person read it", () => {
        const text = `${rows.map(([title, code, said]) => `# ${title}\n${code}\n\n${said}\n`).join("\n\n")}`;
        const file = join(folder, `${group.replaceAll(" ", "-")}.txt`);
        if (process.env["UPDATE_GOLDEN"] !== undefined) {
          mkdirSync(folder, { recursive: true });
          writeFileSync(file, text);
        }
        assert.equal(text, readFileSync(file, "utf8"));
      });
    });
  }
});
