import * as pulumi from "@pulumi/pulumi";
import type { Connection } from "../../remote/connection";
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

/** The same connection, but by the instance's id and Systems Manager. */
export function throughAgent(connection: pulumi.Output<Connection>, region: string, instance: pulumi.Input<string>): pulumi.Output<Connection> {
  return pulumi.all([connection, instance]).apply(([direct, host]): Connection => ({ ...direct, host, proxyCommand: ssmCommand(region) }));
}

/**
 * Tried again, since the machine may boot before its public address is there. cloud-init itself runs on Python, which is therefore on
 * every image; a program that fetches may not be.
 */
const installAgent = `file=/run/amazon-ssm-agent.deb
fetch='import shutil, sys, urllib.request; shutil.copyfileobj(urllib.request.urlopen(sys.argv[1], timeout=20), open(sys.argv[2], "wb"))'
for attempt in $(seq 60); do
  python3 -c "$fetch" "$1" "$file" && dpkg -i "$file" && systemctl enable --now amazon-ssm-agent && exec rm "$file"
  sleep 5
done
exit 1`;

/** What the host runs at its first boot to be reached by Systems Manager. */
export function agentCommands(args: AwsHostsArgs, place: string): readonly (readonly string[])[] {
  const url = agentPackage(args, place);
  return url === undefined ? [] : [["sh", "-c", installAgent, "install-agent", url]];
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
