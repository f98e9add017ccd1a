/**
 * Makes the previews in golden/ anew by the real engine, in both of its forms: ts-node test/review/make.ts [case …]
 * What differs from run to run and from machine to machine is left out. Needs `npm run setup` and `npm run build`.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, Stack } from "../../tools/lab/pulumi";
import { CloudStack } from "../engine/cloud-stack";
import { type Case, cases, type Place } from "./cases";
import { withoutMachine } from "./strip";

const folder = join(__dirname, "golden");
const streaming = "PULUMI_ENABLE_STREAMING_JSON_PREVIEW";

/** A stack that can be described and previewed, on hosts that stand already or on those of a cloud. */
interface Previewed {
  readonly stack: Stack;
  begin(): Promise<void>;
  describe(spec: object): void;
  end(): Promise<void>;
}

function existing(name: string): Previewed {
  const file = join(root, ".lab", `${name}.json`);
  const stack = new Stack(name, join(root, "test", "engine", "program"));
  const end = async (): Promise<void> => {
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    rmSync(join(stack.folder, `Pulumi.${name}.yaml`), { force: true });
  };
  const begin = async (): Promise<void> => {
    mkdirSync(join(root, ".lab"), { recursive: true });
    await end();
    await stack.init();
    await stack.setConfig({ "engine:spec": file });
  };
  return { stack, begin, end, describe: (spec) => writeFileSync(file, JSON.stringify(spec)) };
}

const places: Readonly<Record<Place, (name: string) => Previewed>> = {
  existing,
  aws: (name) => new CloudStack("aws", name),
};

async function save(name: string, stack: Stack): Promise<void> {
  for (const [form, env] of [
    ["digest.json", {}],
    ["stream.jsonl", { [streaming]: "1" }],
  ] as const) {
    const { stdout, stderr } = await stack.pulumi(["preview", "--json", "--show-sames"], { env: { ...stack.env, ...env } });
    if (stdout === "") throw new Error(`${name}: no preview: ${stderr}`);
    writeFileSync(join(folder, `${name}.${form}`), withoutMachine(stdout));
  }
  process.stdout.write(`${name}\n`);
}

/** Cases that begin with the same cluster are previewed one after the other. */
async function make(all: readonly Case[]): Promise<void> {
  const [{ place, before } = { place: "existing" as const, before: undefined }] = all;
  const previewed = places[place]("review-golden");
  try {
    await previewed.begin();
    if (before) {
      previewed.describe(before);
      const up = await previewed.stack.up();
      if (up.code !== 0) throw new Error(up.stdout + up.stderr);
    }
    for (const { name, after } of all) {
      previewed.describe(after);
      await save(name, previewed.stack);
    }
  } finally {
    await previewed.end();
  }
}

async function main(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const asked = process.argv.slice(2);
  const wanted = cases.filter(({ name }) => asked.length === 0 || asked.includes(name));
  for (const before of new Set(wanted.map((each) => each.before))) await make(wanted.filter((each) => each.before === before));
}

void main();
