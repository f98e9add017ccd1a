import { show } from "../../report";
import type { AwsHostsArgs } from "./args";
import { defaults } from "./defaults";
import { architectureOf, hostArgs } from "./plan";

/** Whence the SSH server sees who comes by Systems Manager: its agent runs on the host itself. */
export const agentSources = ["127.0.0.1/32", "::1/128"];

/**
 * SSH through Systems Manager, as AWS documents it for OpenSSH ("Enable SSH connections through Session Manager"): the program's
 * standard input and output are the stream, and the instance's id is the host's name.
 */
export function ssmCommand(region: string): readonly string[] {
  const session = ["ssm", "start-session", "--target", "%h", "--document-name", "AWS-StartSSHSession"];
  return ["aws", ...session, "--parameters", "portNumber=%p", "--region", region];
}

/**
 * Debian's images come without the agent, Canonical's with it. From the region's own bucket, as AWS's "Manually install SSM Agent on
 * Debian Server instances" has it.
 *
 * @returns the address of its package. @default - the image has the agent
 */
export function agentPackage({ access, image = defaults.image, ...args }: AwsHostsArgs, place: string): string | undefined {
  if (access !== "ssm" || typeof image !== "string") return undefined;
  switch (image) {
    case "debian-12":
    case "debian-13": {
      const { region } = args;
      const architecture = architectureOf(hostArgs(args, place).instanceType) === "arm64" ? "arm64" : "amd64";
      const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
      return `https://s3.${region}.${domain}/amazon-ssm-${region}/latest/debian_${architecture}/amazon-ssm-agent.deb`;
    }
    case "ubuntu-24.04":
      return undefined;
    default:
      throw new Error(`${show(image satisfies never)} is no image of a checked plan`);
  }
}
