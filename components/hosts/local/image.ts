import { spawn } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Image of a whole machine, of which local hosts are made unless the program names another one. */
export const hostImage = "pulumi-swarm-host:trixie";

/** Why there is no image and could not be made: what is wrong, and what to do. */
export class ImageProblem extends Error {}

/** How the local Docker is called. */
export interface ImageOptions {
  /** Told each step, in a line for a person. */
  readonly progress: (line: string) => void;
  /** @default - this process's: `docker` is found by its PATH, and asks the engine that its DOCKER_HOST names */
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * @returns whether Docker has the image, of whichever version of this package.
 * @throws ImageProblem where Docker cannot be asked.
 */
export async function hasHostImage({ env = process.env }: Pick<ImageOptions, "env"> = {}): Promise<boolean> {
  const { code, output } = await docker(["image", "inspect", "--format", "{{.Id}}", hostImage], env);
  if (code === 0) return true;
  if (/no such image/i.test(output)) return false;
  const fix = "start Docker, or let DOCKER_HOST name an engine that you may use";
  const said = lastLines(output, 3) || `it ended with code ${code}`;
  throw new ImageProblem(`Docker could not be asked for the image ${hostImage}: ${said}${/[.?]$/.test(said) ? "" : "."} Fix: ${fix}`);
}

/**
 * Makes the image, whether or not it is there: from Debian's own image and packages, with what lies in `tools/image`.
 *
 * @throws ImageProblem with what was said last.
 */
export async function makeHostImage({ progress, env = process.env }: ImageOptions): Promise<void> {
  const context = stage();
  try {
    progress(`making the image ${hostImage} from debian:trixie-slim and Debian's packages, about a minute`);
    const args = Object.entries(buildArgs()).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]);
    const { code, output } = await docker(["build", "--tag", hostImage, ...args, context], env, progress);
    if (code !== 0) throw new ImageProblem(notMade(output));
    progress(`the image ${hostImage} is made`);
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/** Makes the image where it is missing. */
export async function ensureHostImage(options: ImageOptions): Promise<void> {
  if (!(await hasHostImage(options))) await makeHostImage(options);
}

function notMade(output: string): string {
  return (
    `The image ${hostImage} could not be made. Docker said last:\n${lastLines(output, 10)}\n` +
    "Fix: it needs debian:trixie-slim from Docker Hub and packages from deb.debian.org; where this machine reaches neither, make it on another one with npx pulumi-swarm image, " +
    `and bring it here with docker save ${hostImage} and docker load`
  );
}

/** The root of the package, or of its checkout. */
function packageRoot(): string {
  for (let folder = __dirname; folder !== dirname(folder); folder = dirname(folder))
    if (existsSync(join(folder, "tools", "image", "Dockerfile"))) return folder;
  throw new ImageProblem(
    `tools/image is missing in the package pulumi-swarm, from which the image ${hostImage} is made. Fix: install the package again`,
  );
}

function buildArgs(): Readonly<Record<string, string>> {
  const read = (file: string): unknown => JSON.parse(readFileSync(join(packageRoot(), file), "utf8"));
  const { machine, tools, docker } = read(join("tools", "host-packages.json")) as Record<"machine" | "tools" | "docker", readonly string[]>;
  const { version } = read("package.json") as { readonly version: string };
  return { SUITE: "trixie", PACKAGES: [...machine, ...tools, ...docker].join(" "), RECIPE: `pulumi-swarm ${version}` };
}

/** A copy whose files are readable, and executable where they must be, however they were installed. */
function stage(): string {
  const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-image-"));
  cpSync(join(packageRoot(), "tools", "image"), folder, { recursive: true });
  for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const file = join(folder, name);
    chmodSync(file, statSync(file).isDirectory() || /(^|\/)sbin\//.test(name) ? 0o755 : 0o644);
  }
  return folder;
}

function lastLines(text: string, count: number): string {
  return text.trim().split("\n").slice(-count).join("\n");
}

/** Calls Docker's client, and returns all that it printed. */
function docker(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  progress?: (line: string) => void,
): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("docker", [...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let line = "";
    const seen = (text: string): void => {
      output += text;
      const lines = (line + text).split(/\r?\n|\r/);
      line = lines.pop() ?? "";
      for (const each of lines) if (progress && each.trim() !== "") progress(each.trim());
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", seen);
    child.on("error", (error) => {
      const fix = "install Docker with its client, and put docker on the PATH";
      reject(new ImageProblem(`docker cannot be run (${error.message}), so the image ${hostImage} can neither be found nor made. Fix: ${fix}`));
    });
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}
