import { type Place, SuiteCluster } from "./cluster";
import type { OverlayDescription, OwnTests } from "./description";
import { apart } from "./promises/apart";
import { carrying } from "./promises/carrying";
import { disturbances } from "./promises/disturbances";
import { making, staying } from "./promises/making";
import { joining, leaving, replacing } from "./promises/members";
import { secrets } from "./promises/secrets";
import { stateLost } from "./promises/state";
import { ending, switching } from "./promises/switching";
import { listening } from "./promises/listening";
import { newestAndOldest, type Releases } from "./releases";
import { AsFound } from "./traces";

/*
 * The promises that every overlay keeps, proven on one cluster, in an order that takes few `up`s.
 *
 * To put an overlay of yours through it:
 * 1. Add its kind to test/lab/program/index.ts and to all.ts beside this file (the compiler asks for both).
 * 2. Describe it in KIND.ts beside this file: an OverlayDescription. What it cannot do is said there, never left out of a promise.
 * 3. Write test/lab/KIND.test.ts, which calls `overlaySuite(KIND, { name: "KIND", subnets: ["10.x.y.0/24"] }, own)`. `own` are tests of
 *    what no other overlay has, and at which moment of the cluster's life they come. The name and the /24 must be no other file's.
 * 4. Give it a place among the `turns` in all.ts: some of the promises are proven again over wireguard() between two sites and with an
 *    engine of each kind, where one overlay follows the other (in-turn.ts).
 */

/**
 * @param where and of which release hosts are. @default - the newest and the oldest that are packages, beside the usual one
 * @param own what only this overlay has. @default - nothing
 */
export function overlaySuite(overlay: OverlayDescription, where: Place & { readonly releases?: Releases }, own: OwnTests = {}): void {
  const cluster = new SuiteCluster(overlay, where, where.releases ?? newestAndOldest);
  const asFound = new AsFound(cluster);

  /** The life of one cluster, told in order: each test goes on from where the one before it ended. */
  describe(`a swarm on ${overlay.kind}, ${cluster.tunnelled ? "over the encrypted tunnel of two sites" : "on one site"}`, function () {
    // Other work of the machine may take its time.
    this.timeout(600_000);
    this.bail(true);

    before(async function () {
      // Images of hosts may have to be made first; the newest Docker's takes a quarter of an hour.
      this.timeout(3_600_000);
      await cluster.begin(this);
    });
    after(() => cluster.end());

    making(cluster, asFound);
    own.early?.(cluster);
    joining(cluster, asFound);
    carrying(cluster);
    apart(cluster);
    listening(cluster);
    stateLost(cluster);
    staying(cluster);
    disturbances(cluster);
    secrets(cluster);
    own.whole?.(cluster);
    replacing(cluster);
    leaving(cluster, asFound);
    own.late?.(cluster);
    switching(cluster, own.back);
    ending(cluster, asFound);
    own.gone?.(cluster);
  });
}
