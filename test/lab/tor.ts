import { docker } from "../../tools/lab/machines";
import type { Sites } from "../../tools/lab/sites";

export const torAs = 65010;

/** The router between a lab's first site and its office, which runs BIRD here, and has sessions with hosts of the first site. */
export class Tor {
  /** On the hosts' network. */
  readonly address: string;
  private readonly machine: string;

  constructor(
    private readonly sites: Sites,
    private readonly hosts: readonly string[],
  ) {
    this.address = sites.routerAddress("office", "link");
    this.machine = sites.routerMachine("office");
  }

  on(script: string): Promise<string> {
    return docker("exec", this.machine, "sh", "-euc", script);
  }

  /** Starts BIRD, or changes what it does. @param tells Networks, of which most are not its own */
  async start(signedBy: string, tells: readonly string[]): Promise<void> {
    const session = (name: string): string =>
      `protocol bgp ${name} { local ${this.address} as ${torAs}; neighbor ${this.sites.host(name).address} as 64512; authentication md5; password "${signedBy}"; ` +
      "connect delay time 1; connect retry time 2; error wait time 1, 2; graceful restart aware; bfd graceful; ipv4 { import all; export where source = RTS_STATIC; }; }";
    const config = [
      `router id ${this.address};`,
      "protocol device { }",
      'protocol bfd { interface "*" { interval 300 ms; multiplier 5; }; }',
      "protocol kernel { ipv4 { import none; export where source = RTS_BGP; }; }",
      `protocol static told { ipv4; ${tells.map((network) => `route ${network} unreachable;`).join(" ")} }`,
      ...this.hosts.map(session),
    ];
    const put = `printf '%s\\n' '${config.join("\n")}' >/etc/bird.conf`;
    await this.on(`${put}; if ${birdc("show status")} >/dev/null 2>&1; then ${birdc("configure")}; else bird -c /etc/bird.conf -s /run/tor.ctl; fi`);
  }

  /** Hosts with which a session stands. */
  async standing(): Promise<string[]> {
    const said = await this.on(birdc("show protocols"));
    return [...said.matchAll(/^(\S+) +BGP .*Established/gm)].map(([, name = ""]) => name).sort();
  }

  /** Networks that it tells a host. */
  tells(host: string): Promise<string> {
    return this.on(birdc(`show route export ${host}`));
  }

  /** What it has in its kernel from its hosts, as `network via host`. */
  async routes(): Promise<string[]> {
    return sortedLines(await this.on(fromBird));
  }
}

const birdc = (command: string): string => `birdc -s /run/tor.ctl ${command}`;

/** Prints what a kernel has from BIRD, as `network gateway`. */
export const fromBird = "ip -4 route show proto bird | awk '{ print $1, $3 }'";

export function sortedLines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .sort();
}
