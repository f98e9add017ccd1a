// The first import of each program that Pulumi runs against hosts: on an older Node the imports after it fail with an error that helps
// nobody. At a destroy, no preview has said so before, because Pulumi does not run the user's program.
import { isSupportedNode, newerNode, supportedNodes } from "./version";

if (!isSupportedNode(process.version)) {
  const problem = `Node ${process.version} (${process.execPath}) cannot run pulumi-swarm, which needs ${supportedNodes}. Nothing was changed`;
  process.stderr.write(`${problem}. Fix: ${newerNode}, and put it first on the PATH of the shell that runs pulumi\n`);
  process.exit(1);
}
