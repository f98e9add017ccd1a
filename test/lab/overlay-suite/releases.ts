import type { Name } from "./cluster";

/** Image of a host to the Docker that it brings. Debian has no newer one than forky's; on top of that lies one that is built. */
export const engines = { bookworm: "20.10", trixie: "26.1", forky: "28.5", "forky-29": "29" } as const;
export type Release = keyof typeof engines;
export type Releases = Readonly<Record<Name, Release>>;

/** The usual engine everywhere. */
export const usual: Releases = { c1: "trixie", c2: "trixie", c3: "trixie", w1: "trixie" };

/** Of all promises: the newest engine that is a package beside the usual one, and on the worker the oldest. */
export const newestAndOldest: Releases = { c1: "trixie", c2: "forky", c3: "trixie", w1: "bookworm" };

/** An engine of each kind. */
const everyEngine: Releases = { c1: "trixie", c2: "forky-29", c3: "bookworm", w1: "forky" };

/**
 * Of the overlays in turn. Where the far host is one with 20.10 and loses power, one with 29 did not find its task by name within 90 seconds in two of four
 * runs; why is not known. So two sites do without 29.
 */
export const inTurn = (sites: number): Releases => (sites > 1 ? newestAndOldest : everyEngine);
