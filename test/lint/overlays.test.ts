import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { overlayAgents } from "../../components/overlays/agents";

const overlays = join(__dirname, "../../components/overlays");
const most = 300;

/** What is in each folder. Docker's own overlay needs nothing on hosts. */
const parts = (kind: string): readonly string[] => [
  "args.ts",
  "index.ts",
  "plan.ts",
  ...(kind === "native" ? [] : ["agent.ts", "status.ts", "status.sh", `${kind}.sh`]),
];

describe("the folders of overlays", () => {
  it("have each the same parts, so that who knows one knows all", () => {
    const missing = Object.keys(overlayAgents).flatMap((kind) =>
      parts(kind)
        .map((part) => `${kind}/${part}`)
        .filter((part) => !existsSync(join(overlays, part))),
    );
    assert.deepEqual(missing, []);
  });

  it(`have no file of more than ${most} lines`, () => {
    const files = readdirSync(overlays, { recursive: true, encoding: "utf8" }).filter((file) => statSync(join(overlays, file)).isFile());
    const long = files.filter((file) => readFileSync(join(overlays, file), "utf8").split("\n").length - 1 > most);
    assert.deepEqual(long, []);
  });
});
