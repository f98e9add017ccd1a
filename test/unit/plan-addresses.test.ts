import assert from "node:assert/strict";
import { type AddressesArgs, planAddresses, planCluster } from "../../components";
import * as local from "../../components/hosts/local";

const said = (args: AddressesArgs): string[] => planAddresses(args).problems.map(({ path, message, fix }) => `${path}: ${message}. Fix: ${fix}.`);

describe("the planner of addresses alone", () => {
  it("puts each network where a cluster of the same space would have it", () => {
    const networks = { web: {}, db: { prefix: 26 }, kept: { subnet: "10.99.7.0/24" } };
    const { problems, networks: planned, addressSpace } = planAddresses({ networks });
    assert.deepEqual(problems, []);
    assert.equal(addressSpace, "10.96.0.0/14");
    const { plan } = planCluster({ hosts: { control: local.hosts({ role: "manager" }) }, networks });
    assert.deepEqual(planned, Object.fromEntries(plan.networks.map(({ name, subnet, gateway }) => [name, { subnet, gateway }])));
    assert.equal(planned["kept"]?.subnet, "10.99.7.0/24");
  });

  it("moves nothing when a network comes or goes", () => {
    const place = (networks: AddressesArgs["networks"]): string | undefined => planAddresses({ networks }).networks["web"]?.subnet;
    assert.equal(place({ api: {}, db: {}, web: {} }), place({ web: {} }));
  });

  it("tells all that is wrong: with the space, a name, a size, a place", () => {
    assert.deepEqual(said({ addressSpace: "10.64.0.0/16", avoid: ["10.64.9.0/24"], networks: { web: {} } }), [
      "addressSpace: 10.64.0.0/16 overlaps 10.64.9.0/24, avoid[0]. Fix: choose a space that is free everywhere.",
    ]);
    const wrong = said({ networks: { x: {}, web: { prefix: 40 }, one: { subnet: "10.99.0.0/24" }, other: { subnet: "10.99.0.128/25" } } });
    assert.match(wrong[0] ?? "", /^networks\.x: "x" cannot name a Docker network/);
    assert.match(wrong[1] ?? "", /^networks\.web\.prefix: 40 is not usable\. Fix: give a prefix length from 16 to 28\.$/);
    assert.match(wrong.slice(2).join("\n"), /10\.99\.0\.128\/25 overlaps 10\.99\.0\.0\/24/);
    assert.equal(wrong.length, 3, wrong.join("\n"));
  });
});
