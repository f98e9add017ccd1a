import type { Place } from "./cluster";

/** An engine of each kind: Docker 26.1, 29, 20.10 and, on the worker, 28.5. */
export const everyEngine: NonNullable<Place["releases"]> = { c1: "trixie", c2: "forky-29", c3: "bookworm", w1: "forky" };

/** The newest engine that is a package beside the usual one, and on the worker the oldest: Docker 28.5 and 20.10. */
export const newestAndOldest: NonNullable<Place["releases"]> = { c1: "trixie", c2: "forky", c3: "trixie", w1: "bookworm" };
