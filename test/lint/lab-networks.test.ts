import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Cidr, isCidr } from "../../components/addresses/cidr";

const rings = ["lab", "kernel"].map((ring) => join(__dirname, "..", ring));

/** Networks of this machine's Docker that a file of the lab makes for its hosts. What hosts make within themselves is nobody else's. */
function networksOf(text: string): readonly Cidr[] {
  const cidr = String.raw`"(10\.\d+\.\d+\.\d+\/\d+)"`;
  const made = [`"--subnet", ${cidr}`, `\\bnetwork(?::| =) ${cidr}`, `subnet: ${cidr}[^}]*hosts:`, `new (?:Shop|Pair)\\("[^"]*", ${cidr}`].flatMap(
    (pattern) => [...text.matchAll(new RegExp(pattern, "g"))],
  );
  const sites = [...text.matchAll(/new TwoSites\("[^"]*", (\d+)\)/g)].flatMap(([, second]) => [`10.${second}.0.0/24`, `10.${second}.1.0/24`]);
  // A suite's description of where hosts are has one or two.
  const places = [...text.matchAll(/\bsubnets: \[([^\]]*)\]/g)].flatMap(([, list = ""]) => [...list.matchAll(new RegExp(cidr, "g"))]);
  return [...new Set([...[...made, ...places].map(([, network = ""]) => network), ...sites])].map((network) => Cidr.parse(network)).filter(isCidr);
}

describe("files of the lab, of which two run at once", () => {
  it("have networks of their own", () => {
    const files = rings.flatMap((ring) => readdirSync(ring).map((name) => join(ring, name))).filter((file) => file.endsWith(".test.ts"));
    const all = files.flatMap((file) => networksOf(readFileSync(file, "utf8")).map((network) => ({ file, network })));
    assert.ok(all.length > 10, all.map(({ network }) => network.toString()).join());
    const shared = all.flatMap((one, index) =>
      all
        .slice(index + 1)
        .flatMap((other) =>
          one.file !== other.file && one.network.overlaps(other.network) ? [`${one.network} of ${one.file}, ${other.network} of ${other.file}`] : [],
        ),
    );
    assert.deepEqual(shared, []);
  });
});
