import { parseArgs } from "node:util";
import { ensureHostImage, hostImage, ImageProblem, makeHostImage } from "../hosts/local/image";
import { asUsage, type Terminal, unusable, UsageError, type Verb } from "./verb";

const usage = `Usage: pulumi-swarm image [--anew]

Makes ${hostImage}, the image of which local hosts are made, unless Docker has it. pulumi up does the same when it makes a local host.
It is built by docker build from debian:trixie-slim and Debian's packages, with systemd, sshd and Docker in it.

  --anew  make it though it is there, as after an update of this package; hosts that stand keep theirs

Exit codes: 0 it is there; 1 called wrongly, or it could not be made.
`;

export const image: Verb = {
  summary: "make the image of local hosts",
  usage,
  run: async (args: readonly string[], terminal: Terminal) => {
    const { values, positionals } = asUsage(() => parseArgs({ args: [...args], allowPositionals: true, options: { anew: { type: "boolean" } } }));
    if (positionals.length > 0) throw new UsageError(`it takes no ${JSON.stringify(positionals[0])}: there is one image only`);
    const options = { progress: (line: string): void => terminal.error(`${line}\n`) };
    try {
      await (values.anew === true ? makeHostImage(options) : ensureHostImage(options));
    } catch (error) {
      if (!(error instanceof ImageProblem)) throw error;
      terminal.error(`pulumi-swarm image: ${error.message}\n`);
      return unusable;
    }
    terminal.out(`${hostImage}\n`);
    return 0;
  },
};
