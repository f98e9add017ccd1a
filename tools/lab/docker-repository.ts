import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defaultImage, docker } from "./machines";
import { root, run } from "./pulumi";

/** Docker's repository for apt or dnf, as far as the lab has it. */
export interface DockerRepository {
  /** The newest version in it of which the engine runs. */
  readonly version: string;
  /** A version whose engine never starts. */
  readonly broken: string;
  /** As hosts have it in `engine.repository`. */
  readonly url: string;
  /** Puts it onto a host. */
  copyTo(machine: string): Promise<void>;
  remove(): Promise<void>;
}

const folder = "/srv/docker";
const broken = "29.9.9";

const scripts = { apt: "docker-repository.sh", dnf: "docker-rpm-repository.sh" } as const;

/** Makes it in a volume of this machine's Docker, in half a minute, for dnf in one. Needs a Debian mirror. */
export async function makeDockerRepository(name: string, family: keyof typeof scripts = "apt"): Promise<DockerRepository> {
  await run("docker", ["volume", "rm", "-f", name]);
  const script = readFileSync(join(root, "tools", "lab", scripts[family]), "utf8");
  const made = await run("docker", ["run", "--rm", "-i", "-e", `BROKEN=${broken}`, "-v", `${name}:/repository`, defaultImage, "sh", "-s"], {
    stdin: script,
  });
  if (made.code !== 0) throw new Error(`the lab's repository of Docker cannot be made: ${made.stderr}${made.stdout}`);
  return {
    version: made.stdout.trim().split("\n").at(-1) ?? "",
    broken,
    url: `file://${folder}`,
    async copyTo(machine) {
      await docker("exec", machine, "mkdir", "-p", folder);
      const read = `docker run --rm -v ${name}:/repository ${defaultImage} tar -C /repository -c .`;
      const copied = await run("sh", ["-c", `${read} | docker exec -i ${machine} tar -C ${folder} -x`]);
      if (copied.code !== 0) throw new Error(copied.stderr);
    },
    async remove() {
      await run("docker", ["volume", "rm", "-f", name]);
    },
  };
}
