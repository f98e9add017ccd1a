import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { hostKinds, overlayKinds, overrideKinds, underlayKinds } from "../../plugin/kinds";
import { pluginSchema } from "../../tools/schema/schema";

const root = join(__dirname, "..", "..");

interface Property {
  readonly description?: string;
  readonly plain?: boolean;
  readonly secret?: boolean;
}

interface Schema {
  readonly version: string;
  readonly types: Readonly<
    Record<string, { readonly properties?: Readonly<Record<string, Property>>; readonly enum?: readonly { readonly value: string }[] }>
  >;
  readonly resources: Readonly<
    Record<string, { readonly inputProperties: Readonly<Record<string, Property>>; readonly properties: Readonly<Record<string, Property>> }>
  >;
}

describe("the schema for other languages", function () {
  this.timeout(180_000);
  const text = readFileSync(join(root, "plugin", "schema.json"), "utf8");
  const schema = JSON.parse(text) as Schema;
  const properties = (type: string): Readonly<Record<string, Property>> => schema.types[`swarm:index:${type}`]?.properties ?? {};

  it("is as Pulumi's analyzer reads it out of the types (npm run schema writes it)", () => {
    assert.equal(pluginSchema(root), text, "plugin/schema.json is stale: npm run schema");
  });

  it("offers every option of every kind, and no other", () => {
    const choices = [
      ["HostGroup", hostKinds, ["provider", "role"], "HostProvider"],
      ["HostOverride", overrideKinds, [], undefined],
      ["Overlay", overlayKinds, ["kind"], "OverlayKind"],
      ["Underlay", underlayKinds, ["kind"], "UnderlayKind"],
    ] as const;
    for (const [type, kinds, chosen, names] of choices) {
      const options = new Set([...chosen, ...Object.values(kinds).flatMap((kind) => Object.keys(kind))]);
      assert.deepEqual(Object.keys(properties(type)).sort(), [...options].sort(), type);
      if (names === undefined) continue;
      const values = schema.types[`swarm:index:${names}`]?.enum?.map(({ value }) => value);
      assert.deepEqual(values?.sort(), Object.keys(kinds).sort(), names);
    }
  });

  it("says of every option what it is for", () => {
    const all = Object.entries(schema.types).flatMap(([type, { properties: own = {} }]) =>
      Object.entries(own).map(([name, property]) => [`${type}.${name}`, property] as const),
    );
    const bare = all.filter(([, { description = "" }]) => description === "").map(([name]) => name);
    assert.deepEqual(
      bare.filter((name) => !/:(ClusterHost|ClusterNetwork|HostConnection|HostHop)\./.test(name)),
      [],
    );
    for (const { inputProperties } of Object.values(schema.resources)) {
      assert.ok(Object.values(inputProperties).every(({ description = "" }) => description !== ""));
    }
    assert.match(properties("HostGroup")["image"]?.description ?? "", /^With local: .*\n\nWith aws: .*\n\nWith hetzner: /);
  });

  it("keeps keys secret, and lets only what may be known late be an output", () => {
    assert.equal(properties("HostGroup")["privateKey"]?.secret, true);
    assert.equal(properties("Bastion")["privateKey"]?.secret, true);
    assert.equal(schema.resources["swarm:index:Cluster"]?.properties["connections"]?.secret, true);
    assert.deepEqual(
      Object.entries(properties("HostGroup"))
        .filter(([name, { plain }]) => plain !== true && !["count"].includes(name))
        .map(([name]) => name)
        .sort(),
      ["iamInstanceProfile", "imageId", "kmsKeyId", "passphrase", "previousKey", "privateKey"],
    );
  });

  it("has each output of the cluster in TypeScript", () => {
    const source = readFileSync(join(root, "components", "cluster", "index.ts"), "utf8");
    const outputs = [...source.matchAll(/^ {2}readonly (\w+): pulumi\.Output</gm)].map(([, name = ""]) => name);
    assert.ok(outputs.includes("swarmId"));
    const own = Object.keys(schema.resources["swarm:index:Cluster"]?.properties ?? {});
    assert.deepEqual(
      outputs.filter((name) => !own.includes(name)),
      [],
    );
  });

  it("has the version of the package", () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
    assert.equal(schema.version, version);
  });
});
