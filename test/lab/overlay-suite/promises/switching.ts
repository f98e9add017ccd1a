import assert from "node:assert/strict";
import { proveByName } from "../../../../tools/lab/cluster";
import { managers, type SuiteCluster } from "../cluster";
import type { OwnTests } from "../description";
import { addressOf, reaches, removeContainers } from "../containers";
import { assertNoTraces, assertTraces } from "../traces";

/** Another overlay, and this one again. */
export function switching(cluster: SuiteCluster, back: OwnTests["back"]): void {
  const { kind, port } = cluster.overlay;
  const native = { overlay: { native: {} } };
  const proven = async (): Promise<void> => {
    const [first, last] = [cluster.key("c1"), cluster.key("c3")];
    assert.equal(await cluster.lab.withShell((shell) => proveByName(shell, first, last, "web")), `hello from ${last}`);
  };

  if (kind !== "native") {
    it("gives way to native() only when nobody uses its networks: shows the change, says who does, and changes nothing", async () => {
      // Docker's own port is open before and after, for the ingress network.
      assert.match(await cluster.previewed(native), new RegExp(`\\b${port}\\b`), "the change is shown");
      const said = await cluster.refused(native);
      assert.match(said, new RegExp(`changing the overlay from ${kind} to native would cut off what uses the networks of it; nothing was changed`));
      assert.match(said, /network web is used by service everywhere, container probe-web on \S+/);
      await assertTraces(cluster);
      assert.ok(await reaches(cluster, "c1", await addressOf(cluster, "c2")));
    });
  }

  it("is left by all that used its networks", async () => {
    await cluster.on("c1", "docker service rm everywhere >/dev/null");
    await Promise.all(managers.map((name) => removeContainers(cluster, name)));
  });

  if (kind === "native") return;
  it("goes to native(), and nothing is left of it", async () => {
    await cluster.up(native);
    await assertNoTraces(cluster);
    await proven();
  });

  it("comes back from native()", async () => {
    await cluster.up(cluster.with(back?.args ?? {}));
    await assertTraces(cluster);
    await proven();
  });
  back?.tests(cluster);
}

/** The end. */
export function ending(cluster: SuiteCluster, asFound: { assertAgain(): Promise<void> }): void {
  it("leaves nothing on its hosts when it is destroyed", async () => {
    const { code, stdout, stderr } = await cluster.lab.stack.destroy();
    assert.equal(code, 0, stdout + stderr);
    await assertNoTraces(cluster);
    await asFound.assertAgain();
  });
}
