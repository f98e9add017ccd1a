import assert from "node:assert/strict";
import { planCluster } from "../../components/cluster/plan";
import * as local from "../../components/hosts/local";
import { flannel } from "../../components/overlays/flannel";
import { native } from "../../components/overlays/native";
import { weave } from "../../components/overlays/weave";
import { wireguard } from "../../components/underlay/wireguard";
import { type EditedSpec, editsFrom, usualCount, usualSeed, ways } from "../lab/random-edits";

/** As the program of the lab makes a cluster of it. */
function problems({ local: groups, overlay, wireguard: mesh, ...args }: EditedSpec): readonly unknown[] {
  const hosts = Object.fromEntries(Object.entries(groups).map(([key, group]) => [key, local.hosts(group as local.LocalHostsArgs)]));
  const chosen = overlay.flannel ? flannel(overlay.flannel) : overlay.weave ? weave(overlay.weave) : native();
  return planCluster({ ...args, hosts, overlay: chosen, underlay: wireguard(mesh) }).problems.filter(({ path }) => path !== "hosts");
}

describe("the series of edits that the previews are tried with", () => {
  it("is the same for the same seed, and another for another", () => {
    assert.deepEqual(editsFrom(7, 30), editsFrom(7, 30));
    assert.notDeepEqual(editsFrom(7, 30), editsFrom(8, 30));
  });

  it("changes a cluster in each way, with the seed that is tried always", () => {
    assert.deepEqual([...new Set(editsFrom(usualSeed, usualCount).map(({ way }) => way))].sort(), [...ways].sort());
  });

  it("plans without a problem at every step, whatever the seed", () => {
    for (let seed = 1; seed <= 3; seed++)
      for (const { what, spec } of editsFrom(seed, 30)) assert.deepEqual(problems(spec), [], `seed ${seed}: ${what}`);
  });
});
