/**
 * Versions of Node that run this package, as npm writes a range; the same as `engines` in package.json. They load an ES module by
 * `require` without a flag: 20 from 20.19.0 on, 22 from 22.12.0 on, all newer ones, and no 21 (Node's documentation of modules, "Loading
 * ECMAScript modules using require()").
 */
export const supportedNodes = "^20.19 || >=22.12";

/** What to do about a Node that is too old. */
export const newerNode = "install a newer Node, such as 24";

/** @param version As `process.version` has it, such as `v22.12.0`. */
export function isSupportedNode(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  if (major === 20) return minor >= 19;
  return major === 22 ? minor >= 12 : major > 22;
}
