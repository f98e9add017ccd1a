import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fc from "fast-check";
import { quote, scriptInput } from "../../components/remote/script";

/** The shells that hosts have: Debian's `sh`, bash, and busybox on small systems. */
const shells: readonly (readonly string[])[] = [["sh"], ["bash", "--posix"], ["bash"], ["busybox", "sh"]];

function isThere([program, ...options]: readonly string[]): boolean {
  return spawnSync(program ?? "", [...options, "-c", "exit 0"]).status === 0;
}

/** What a shell prints for a script that comes by standard input, as scripts reach the hosts. */
function run([program, ...options]: readonly string[], input: string): string {
  const { status, stdout, stderr } = spawnSync(program ?? "", [...options, "-s"], { input, encoding: "utf8", maxBuffer: 64 << 20 });
  assert.equal(status, 0, stderr);
  return stdout;
}

const nasty = [
  "",
  "'",
  "''",
  "'\\''",
  "\\",
  "$HOME",
  "`id`",
  "$(id)",
  '"',
  "a\nb",
  "\n",
  "trailing\n\n",
  " \t",
  "!!",
  "*",
  "-n",
  "%s",
  "é€🐳",
  "\r\n",
  "#",
  "~",
  ";",
  "&|<>",
];
const texts = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: fc.constantFrom("'", '"', "\\", "$", "`", "\n", " ", "!", "*", "a"), maxLength: 40 }),
);
/** Text that survives UTF-8, which lone surrogates do not, and has no NUL. */
const values = texts.map((text) => Buffer.from(text).toString().replaceAll("\0", ""));

describe("quote", () => {
  for (const shell of shells) {
    it(`makes one word of any text for ${shell.join(" ")}`, function () {
      if (!isThere(shell)) this.skip();
      // Many values to a shell, or starting shells would be all that this does.
      fc.assert(
        fc.property(fc.array(values, { minLength: 20, maxLength: 200 }), (some) => {
          const list = [...nasty, ...some];
          const printed = run(shell, list.map((value) => `printf '%s\\0' ${quote(value)}`).join("\n"));
          assert.deepEqual(printed.split("\0").slice(0, -1), list);
        }),
        { numRuns: 20 },
      );
    }).timeout(30_000);
  }

  it("refuses a NUL character, which no shell can hold", () => {
    assert.throws(() => quote("a\0b"), { message: "a value for a shell script cannot contain a NUL character" });
  });
});

describe("scriptInput", () => {
  it("gives the script its values as variables and the verb as $1", () => {
    const text = `printf '%s|' "$1" "$#" "$FIRST" "$SECOND_2"`;
    assert.equal(run(["sh"], scriptInput(text, "up", { FIRST: "it's", SECOND_2: "$HOME" })), "up|1|it's|$HOME|");
  });

  it("keeps a verb that is not a word in one piece", () => {
    assert.equal(run(["sh"], scriptInput(`printf '%s|' "$@"`, "a b; exit 9", {})), "a b; exit 9|");
  });

  for (const name of ["", "lower", "1A", "A-B", "A B", "A=1;", "_A", "A\nB", "PATH;id"]) {
    it(`refuses ${JSON.stringify(name)} as a value's name`, () => {
      assert.throws(() => scriptInput("", "up", { [name]: "x" }), { message: `"${name}" is not a name for a script's value` });
    });
  }
});
