import type { Place } from "./cluster";

/** An engine of each kind: Docker 26.1, 29, 20.10 and, on the worker, 28.5. */
export const everyEngine: NonNullable<Place["releases"]> = { c1: "trixie", c2: "forky-29", c3: "bookworm", w1: "forky" };
