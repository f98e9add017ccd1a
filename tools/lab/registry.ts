import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { docker } from "./machines";
import { run } from "./pulumi";

/*
 * The lab's container registry, which setup starts: hosts pull from it what the product runs on them, as they would from the
 * projects' own.
 */

const port = 5000;

/** The registry as hosts on this Docker network reach it: what goes into `programs.mirror` and into `insecure-registries`. */
export async function mirrorOf(network: string): Promise<string> {
  const gateway = await docker("network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", network);
  // Docker notes no gateway of its own choice when it was not given the network's either.
  if (gateway === "") throw new Error(`the Docker network ${network} has no gateway`);
  return `${gateway}:${port}`;
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
    return (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { accept }, signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

/** Puts an image of nothing but these files into the registry. @param files Path in the image to file of this machine. @returns its digest */
export async function publish(image: string, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-image-"));
  const name = `127.0.0.1:${port}/${image}`;
  try {
    for (const [path, file] of Object.entries(files)) {
      mkdirSync(join(folder, "root", dirname(path)), { recursive: true });
      copyFileSync(file, join(folder, "root", path));
    }
    const tar = join(folder, "image.tar");
    const { code, stderr } = await run("tar", ["-cf", tar, "-C", join(folder, "root"), "."]);
    if (code !== 0) throw new Error(`tar: ${stderr}`);
    await docker("import", tar, name);
    await docker("push", "-q", name);
    return (await docker("image", "inspect", "--format", "{{index .RepoDigests 0}}", name)).split("@")[1] ?? "";
  } finally {
    rmSync(folder, { recursive: true });
    await run("docker", ["image", "rm", name]);
  }
}
