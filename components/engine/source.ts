import type { EngineArgs } from "./args";
import type { Probe } from "./preflight";

/** `ID` of os-release of systems with dnf that have Docker in their own repositories: moby-engine of Fedora, docker of Amazon Linux. */
const withDocker = ["fedora", "amzn"];
/** Those for which Docker has a repository; what RHEL's relatives use is CentOS's (docs.docker.com, Install Docker Engine). */
const ofDocker = ["fedora", "rhel", "centos", "rocky", "almalinux", "ol"];

/** Why Docker's packages cannot be had on a host from the source that the program names. */
export interface SourceProblem {
  readonly problem: string;
  /** @default - there is no other source */
  readonly fix?: string;
}

export function sourceProblem(
  { source = "distribution" }: Pick<EngineArgs, "source">,
  { apt, dnf, distribution }: Pick<Probe, "apt" | "dnf" | "distribution">,
): SourceProblem | undefined {
  if (apt) return undefined;
  const [id = ""] = distribution.split(" ");
  const system = `this system (${distribution.trim() || "unknown"})`;
  if (!dnf) return { problem: `${system} has neither apt-get nor dnf to install it with` };
  const [own, docker] = [withDocker.includes(id), ofDocker.includes(id)];
  if (!own && !docker) return { problem: `how ${system} gets Docker is not known here` };
  if (source === "docker") return docker ? undefined : { problem: `Docker has no repository for ${system}`, fix: 'use engine.source "distribution"' };
  return own ? undefined : { problem: `${system} has no package of Docker of its own`, fix: 'use engine.source "docker"' };
}
