import type { Finding } from "../health";
import type { Situation } from "./situation";

/** One kind of finding; a file each. */
export interface Rule {
  readonly kind: string;
  /** In one line, for `--help` and the page. */
  readonly summary: string;
  find(situation: Situation): readonly Omit<Finding, "kind">[];
}
