import { privateKeyProblem } from "../remote/private-key";
import type { Problem } from "../report";

/** What is wrong with a private key that is known. No word of it is repeated. */
export function keyProblem(path: string, key: unknown, passphrase?: unknown): Problem | undefined {
  if (key === undefined) return undefined;
  if (typeof key !== "string") {
    return {
      path,
      message: `the private key is ${Buffer.isBuffer(key) ? "a Buffer" : "not a text"}`,
      fix: 'read it with readFileSync(FILE, "utf8")',
    };
  }
  const problem = privateKeyProblem(key, typeof passphrase === "string" ? passphrase : undefined);
  if (!problem) return undefined;
  const { of, message, fix } = problem;
  // A bastion's own key and a previous one have no option for their passphrases.
  if (of === "passphrase" && path !== "privateKey") {
    return { path, message, fix: `give a ${path === "previousKey" ? "copy without a passphrase" : "key without a passphrase, or agentSocket"}` };
  }
  return { path: of === "passphrase" ? "passphrase" : path, message, fix };
}
