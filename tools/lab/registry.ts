import { join } from "node:path";
import { addressesOf } from "./docker";
import { root } from "./pulumi";

/*
 * The lab's container registry, which setup starts: hosts pull from it what the product runs on them, as they would from the
 * projects' own.
 */

// Plain JavaScript, because the setup runs before anything is compiled.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const registry = require(join(root, "tools", "setup", "registry.js")) as {
  readonly registryAddress: string;
  readonly publish: (image: string, files: Readonly<Record<string, string>>) => Promise<string>;
};
const port = registry.registryAddress.split(":")[1];

/** Puts an image of nothing but files into the registry: path in the image to file of this machine. @returns its digest */
export const publish = registry.publish;

/** The registry as hosts on this Docker network reach it: what goes into `programs.mirror` and into `insecure-registries`. */
export async function mirrorOf(network: string): Promise<string> {
  return `${(await addressesOf(network)).gateway}:${port}`;
}

/**
 * For a `before` hook of tests that need images out of the lab's registry, such as `flannel-io/flannel:v0.26.7`. Fails in CI;
 * elsewhere the lack is said and the tests are skipped.
 */
export async function needImages(context: { skip(): void }, ...images: readonly string[]): Promise<void> {
  const there = await Promise.all(images.map(isThere));
  const missing = images.filter((_image, index) => !there[index]);
  if (missing.length === 0 && (await answers("/v2/"))) return;
  const what = missing.length > 0 ? `the images ${missing.join(", ")} in the lab's registry` : "the lab's registry";
  const message = `these tests need ${what}; as root, node tools/setup/index.js overlays makes what can be made here`;
  if (process.env["CI"]) throw new Error(message);
  process.stderr.write(`    ${message}: left out\n`);
  context.skip();
}

function isThere(image: string): Promise<boolean> {
  const [name = "", tag = "latest"] = image.split(":");
  return answers(`/v2/${name}/manifests/${tag}`);
}

async function answers(path: string): Promise<boolean> {
  try {
    const accept = "application/vnd.docker.distribution.manifest.v2+json";
    return (await fetch(`http://${registry.registryAddress}${path}`, { headers: { accept }, signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}
