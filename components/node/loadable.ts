// For the user's own program, where it runs on an older Node.
import { isSupportedNode, newerNode, supportedNodes } from "./version";

if (!isSupportedNode(process.version)) {
  // Loaded only here: programs on hosts do without Pulumi's SDK, and `this.ts` has ended them before.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { RunError } = require("@pulumi/pulumi") as typeof import("@pulumi/pulumi");
  throw new RunError(`Node ${process.version} (${process.execPath}) cannot run pulumi-swarm, which needs ${supportedNodes}. Fix: ${newerNode}`);
}
