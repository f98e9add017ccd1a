import * as pulumi from "@pulumi/pulumi";
import { canHook, ofThisRun } from "../cloud/hooks";
import type { HostContext } from "../host";
import { ensureHostImage, hasHostImage, ImageProblem } from "./image";

/**
 * Makes the hosts' image before the first container that needs it is made. Only while a container is made: of a stack that stands
 * nothing is asked, and nothing is added to its state but the hook's name. The preview says that it will be made.
 *
 * @returns options for each container; none where there is no engine that calls hooks.
 */
export function withHostImage({
  cluster,
  parent,
  shared,
}: Pick<HostContext, "cluster" | "parent" | "shared">): Pick<pulumi.CustomResourceOptions, "hooks"> {
  if (!canHook()) return {};
  const hook = shared("local image", () => {
    // All hosts need the same one, and wait for it together.
    let made: Promise<void> | undefined;
    const before = (): Promise<void> => (made ??= pulumi.runtime.isDryRun() ? foretell(parent) : ensure(parent));
    return new pulumi.ResourceHook(`${cluster}-local image before a host is made`, ofThisRun(before), { onDryRun: true });
  });
  return { hooks: { beforeCreate: [hook] } };
}

async function ensure(parent: pulumi.Resource): Promise<void> {
  try {
    await ensureHostImage({ progress: (line) => void pulumi.log.info(line, parent, undefined, true) });
  } catch (error) {
    if (!(error instanceof ImageProblem)) throw error;
    // Once, and not for each of the hosts that wait for it.
    await pulumi.log.error(error.message, parent);
    throw new Error("no host is made without its image; the error of the cluster says what is wrong", { cause: error });
  }
}

/** A preview fails for nothing that may be there when it is needed. */
async function foretell(parent: pulumi.Resource): Promise<void> {
  try {
    if (await hasHostImage()) return;
    await pulumi.log.info("The image of local hosts is missing: up makes it first, by docker build, in about a minute.", parent);
  } catch (error) {
    if (!(error instanceof ImageProblem)) throw error;
    await pulumi.log.warn(error.message, parent);
  }
}
