import assert from "node:assert/strict";
import { proveByName } from "../../../../tools/lab/cluster";
import type { SuiteCluster } from "../cluster";
import type { OverlayDescription, OwnTests } from "../description";
import { native } from "../native";
import { addressOf, reaches, removeContainers } from "../containers";
import { assertNoTraces, assertTraces } from "../traces";

/** Another overlay, and this one again. */
export function switching(cluster: SuiteCluster, back: OwnTests["back"]): void {
  const { kind } = cluster.overlay;
  const proven = async (): Promise<void> => {
    const [first, last] = [cluster.key("c1"), cluster.key("c3")];
    assert.equal(await cluster.lab.withShell((shell) => proveByName(shell, first, last, "web")), `hello from ${last}`);
  };

  if (kind !== "native") guarded(cluster, native);
  abandoned(cluster);

  if (kind === "native") return;
  it("goes to native(), and nothing is left of it", async () => {
    await cluster.up({ overlay: { native: native.first } });
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

/** While somebody uses its networks, it stays. */
export function guarded(cluster: SuiteCluster, to: OverlayDescription): void {
  const { kind } = cluster.overlay;
  const other = { overlay: { [to.kind]: to.first } };
  // Docker's own port is always open, for the ingress network.
  const { port } = kind === "native" ? to : cluster.overlay;

  it(`gives way to ${to.kind}() only when nobody uses its networks: shows the change, says who does, and changes nothing`, async () => {
    assert.match(await cluster.previewed(other), new RegExp(`\\b${port}\\b`), "the change is shown");
    const said = await cluster.refused(other);
    assert.match(said, new RegExp(`changing the overlay from ${kind} to ${to.kind} would cut off what uses the networks of it; nothing was changed`));
    assert.match(said, /network web is used by service everywhere, container probe-web on \S+/);
    await assertTraces(cluster);
    assert.ok(await reaches(cluster, "c1", await addressOf(cluster, "c2")));
  });
}

/** Nobody uses its networks any more. */
export function abandoned(cluster: SuiteCluster): void {
  it("is left by all that used its networks", async () => {
    await cluster.on("c1", "docker service rm everywhere >/dev/null");
    await Promise.all(cluster.members.map((name) => removeContainers(cluster, name)));
  });
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
