import assert from "node:assert/strict";
import { calico, flannel, native, openvswitch, type Overlay, SwarmCluster, type SwarmClusterArgs, weave } from "../../components";
import * as existing from "../../components/hosts/existing";
import { isSecret, record } from "./harness";
import { clientKey } from "../unit/client-key";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";
const control = existing.hosts({ role: "manager", privateKey: clientKey, machines: { a: { address: "10.20.0.1", hostKey } } });
const overlays: readonly Overlay[] = [native(), weave(), flannel(), calico(), openvswitch()];

/** What the program is asked that makes the network `web`. */
async function requestOn(overlay: Overlay, adopt?: SwarmClusterArgs["adopt"]): Promise<string> {
  const { error, resources } = await record(
    () =>
      new SwarmCluster("lab", {
        overlay,
        firewall: { ssh: ["198.51.100.0/24"] },
        hosts: { control },
        networks: { web: {} },
        ...(adopt && { adopt }),
      }),
    {
      outputs: ({ name }) => (/-(overlay-secret|memory-key)$/.test(name) ? { output: "secret" } : {}),
    },
  );
  assert.equal(error, undefined);
  const { stdin } = resources.find(({ type, name }) => type === "command:local:Command" && name === "lab-web")?.inputs ?? {};
  assert.ok(isSecret(stdin));
  return stdin.secret as string;
}

describe("a network of a cluster that changes its overlay", function () {
  this.timeout(60_000);

  it("is asked for again, by whatever overlay: hosts were rid of it with the one before", async () => {
    const requests: string[] = [];
    for (const overlay of overlays) requests.push(await requestOn(overlay));
    assert.equal(new Set(requests).size, overlays.length);
    assert.equal(await requestOn(calico()), requests[3]);
    // What a later release adds to it shows in everybody's preview after the upgrade.
    assert.deepEqual(Object.keys(JSON.parse(requests[2] ?? "") as object), ["cluster", "name", "spec", "managers", "reachableSeconds"]);
  });

  it("is not removed while it is used where the swarm lives on", async () => {
    const kept = async (adopt?: SwarmClusterArgs["adopt"]): Promise<unknown> =>
      (JSON.parse(await requestOn(native(), adopt)) as { readonly keepUsed?: boolean }).keepUsed;
    const swarmId = "a".repeat(25);
    assert.deepEqual([await kept(), await kept({ swarmId }), await kept({ swarmId, dissolve: true })], [undefined, true, undefined]);
  });
});
