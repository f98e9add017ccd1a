import * as pulumi from "@pulumi/pulumi";
import type { HostContext, HostToMake } from "../host";
import { canHook, ofThisRun } from "./hooks";

/** So many at once; the others wait in the order in which they came. */
export class Few {
  private readonly waiting: (() => void)[] = [];
  private inside = 0;

  constructor(private readonly most: number) {}

  async enter(): Promise<void> {
    if (this.inside < this.most) this.inside += 1;
    // Whoever leaves hands the place on.
    else await new Promise<void>((go) => this.waiting.push(go));
  }

  leave(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.inside -= 1;
  }
}

/**
 * Options for resources of which a cloud makes only some at once. Nothing of it shows in the preview, and no resource depends on another
 * one for it: one more makes no change elsewhere, and all are deleted at once.
 *
 * @param what For whom they wait together, such as a network.
 */
export function aFewAtATime(
  { cluster, shared }: Pick<HostContext, "cluster" | "shared">,
  { key }: Pick<HostToMake, "key">,
  what: string,
  most: number,
): NonNullable<pulumi.CustomResourceOptions["hooks"]> {
  if (!canHook()) return {};
  const few = shared(`a few at a time: ${what}`, () => new Few(most));
  const name = (when: string): string => `${cluster}-${key} ${when} it is made`;
  return {
    beforeCreate: [
      new pulumi.ResourceHook(
        name("before"),
        ofThisRun(() => few.enter()),
      ),
    ],
    afterCreate: [
      new pulumi.ResourceHook(
        name("after"),
        ofThisRun(async () => few.leave()),
      ),
    ],
    onError: [
      new pulumi.ErrorHook(
        name("when it fails while"),
        ofThisRun(async ({ failedOperation }) => {
          if (failedOperation === "create") few.leave();
          return false;
        }),
      ),
    ],
  };
}

/** Hooks of both, one after the other. */
export function both(
  one: pulumi.CustomResourceOptions["hooks"] = {},
  other: pulumi.CustomResourceOptions["hooks"] = {},
): NonNullable<pulumi.CustomResourceOptions["hooks"]> {
  return { ...one, ...other, onError: [...(one.onError ?? []), ...(other.onError ?? [])] };
}
