import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { root } from "../../../tools/lab/pulumi";
import { Account, fileVariable } from "./shared/account";

export { type Account as StandInAccount, forget } from "./shared/account";

// eslint-disable-next-line @typescript-eslint/no-require-imports
const { labEnv } = require(join(root, "tools", "setup", "env.js")) as { labEnv: () => NodeJS.ProcessEnv };

/**
 * What a stack's environment must have for a stand-in to answer as the cloud's plugin. It is found by PATH and never
 * installed, so that no other stack of this checkout meets it.
 *
 * @param quotas Those that the account had raised.
 */
export function standIn(
  cloud: "aws" | "hcloud",
  name: string,
  quotas: { readonly addresses?: number } = {},
): { readonly env: NodeJS.ProcessEnv; readonly account: Account } {
  const bin = join(root, ".lab", "clouds", "bin");
  const account = new Account(join(root, ".lab", "clouds", `${name}.json`));
  mkdirSync(bin, { recursive: true });
  const main = join(root, "dist", "test", "plugins", "clouds", cloud, "main.js");
  writeFileSync(join(bin, `pulumi-resource-${cloud}`), `#!/bin/sh\nexec node '${main.replaceAll("'", `'\\''`)}' "$@"\n`, { mode: 0o755 });
  return {
    env: {
      PATH: [bin, labEnv()["PATH"]].join(delimiter),
      [fileVariable(cloud)]: account.file,
      ...(quotas.addresses !== undefined && { STAND_IN_AWS_ADDRESSES: String(quotas.addresses) }),
    },
    account,
  };
}
