import type { OverlayKind } from "../../../components/overlays/overlay";
import { turns } from "./all";
import { everybody, type Place, SuiteCluster } from "./cluster";
import { apart } from "./promises/apart";
import { carrying } from "./promises/carrying";
import { farAway } from "./promises/disturbances";
import { listening } from "./promises/listening";
import { native } from "./native";
import { openvswitch } from "./openvswitch";
import { isMade, named } from "./promises/making";
import { abandoned, ending, guarded } from "./promises/switching";
import { inTurn } from "./releases";
import { AsFound, assertNoTraces } from "./traces";

/**
 * What where hosts are and which Docker they run could break, of one overlay after the other on the same hosts: each goes straight to the next.
 *
 * @param own what only one of them has, in its turn
 */
export function overlaysInTurn(where: Place, own: Partial<Record<OverlayKind, (cluster: SuiteCluster) => void>> = {}): void {
  const [begin, ...others] = turns;
  const releases = inTurn(where.subnets.length);
  const first = new SuiteCluster(begin, where, releases);
  const clusters = [first, ...others.map((overlay) => new SuiteCluster(overlay, where, releases))];
  const asFound = new AsFound(first);

  describe(`a swarm that goes from one overlay to the next, ${first.tunnelled ? "over the encrypted tunnel of two sites" : "on one site"}`, function () {
    // Other work of the machine may take its time.
    this.timeout(600_000);
    this.bail(true);

    before(async function () {
      // Images of hosts may have to be made first; the newest Docker's takes a quarter of an hour.
      this.timeout(3_600_000);
      await first.begin(
        this,
        turns.flatMap(({ images }) => images),
      );
      await asFound.remember(everybody);
    });
    after(() => first.end());

    for (const [index, cluster] of clusters.entries()) {
      describe(`on ${cluster.overlay.kind}`, () => {
        coming(cluster, clusters[index - 1]);
        named(cluster);
        carrying(cluster);
        apart(cluster);
        listening(cluster);
        farAway(cluster);
        own[cluster.overlay.kind]?.(cluster);
        // Of the others, each one's own file has it.
        if (cluster.overlay === native) guarded(cluster, openvswitch);
        abandoned(cluster);
      });
    }
    describe("in the end", () => {
      ending(clusters.at(-1) ?? first, { assertAgain: () => asFound.assertAgain(everybody) });
    });
  });
}

function coming(cluster: SuiteCluster, before: SuiteCluster | undefined): void {
  const how = before ? `takes the place of ${before.overlay.kind}, of which nothing is left` : "is made by one up";
  it(`${how}, with nothing secret where somebody could read it`, async () => {
    await isMade(cluster, () => cluster.upWhole());
    if (before) await assertNoTraces(before);
  });
}
