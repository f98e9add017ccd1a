import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deriveSshKey } from "../../components/remote/ssh-key";
import { SshSession } from "../../components/remote/ssh";
import { eventually } from "../../tools/lab/cluster";
import { root, run } from "../../tools/lab/pulumi";

const client = deriveSshKey("two-sites", "client");
const hostKey = deriveSshKey("two-sites", "host");
const image = "pulumi-swarm-host:trixie";

export interface SiteHost {
  readonly key: string;
  readonly site: string;
  readonly address: string;
  readonly publicAddress?: string;
}

/**
 * Hosts of two sites that meet only through a router: site a is open to the other, site b is behind address translation
 * and takes no call from outside. Docker itself keeps its networks apart, so no packet finds another way. Docker's own
 * translation is off: where the machine filters bridged packets, it would rewrite what the router passes on.
 */
export class TwoSites {
  private readonly sessions = new Map<string, SshSession>();
  readonly hosts: readonly SiteHost[];

  /** @param second the two networks are 10.second.0.0/24 and 10.second.1.0/24 */
  constructor(
    readonly name: string,
    private readonly second: number,
    hostsASite = 2,
  ) {
    const places = Array.from({ length: hostsASite }, (_, index) => index + 1);
    this.hosts = [
      ...places.map((place) => ({
        key: `a${place}`,
        site: "a",
        address: this.address("a", 10 + place),
        publicAddress: this.address("a", 10 + place),
      })),
      ...places.map((place) => ({ key: `b${place}`, site: "b", address: this.address("b", 10 + place) })),
    ];
  }

  private address(site: string, place: number): string {
    return `10.${this.second}.${site === "a" ? 0 : 1}.${place}`;
  }

  /** Name of a host's container. */
  container(key: string): string {
    return `${this.name}-${key}`;
  }

  async begin(): Promise<void> {
    await this.end();
    await Promise.all(
      ["a", "b"].map((site) =>
        docker(
          ...["network", "create", "--subnet", `${this.address(site, 0)}/24`, "--gateway", this.address(site, 1)],
          ...["-o", "com.docker.network.bridge.enable_ip_masquerade=false", `${this.name}-${site}`],
        ),
      ),
    );
    await Promise.all([this.startRouter(), ...this.hosts.map((host) => this.startHost(host))]);
    await Promise.all(this.hosts.map(({ key }) => this.connect(key)));
  }

  async end(): Promise<void> {
    for (const session of this.sessions.values()) session.close();
    this.sessions.clear();
    const containers = ["nat", ...this.hosts.map(({ key }) => key)].map((key) => this.container(key));
    await run("docker", ["rm", "-f", "-v", ...containers]);
    await run("docker", ["network", "rm", `${this.name}-a`, `${this.name}-b`]);
  }

  session(key: string): SshSession {
    const session = this.sessions.get(key);
    assert.ok(session, `no session to ${key}`);
    return session;
  }

  /** As a machine that lost power: everything starts again from what is on its disk. */
  async restart(key: string): Promise<void> {
    this.sessions.get(key)?.close();
    await docker("restart", "--signal", "KILL", this.container(key));
    await this.connect(key);
  }

  /** @returns standard output; rejects with all that was printed when the command fails. */
  async on(key: string, command: string): Promise<string> {
    const { code, stdout, stderr } = await run("docker", ["exec", this.container(key), "sh", "-c", command]);
    assert.equal(code, 0, `${key}: ${command}: ${stdout}${stderr}`);
    return stdout.trim();
  }

  private async connect(key: string): Promise<void> {
    const host = this.hosts.find((one) => one.key === key);
    assert.ok(host);
    const connection = { host: host.address, privateKey: client.privateKey, hostKey: hostKey.publicKey };
    this.sessions.set(key, await SshSession.open(key, connection));
    await eventually(`${key} has booted`, 60, async () => {
      const { stdout } = await run("docker", ["exec", this.container(key), "systemctl", "is-system-running"]);
      return ["running", "degraded"].includes(stdout.trim()) ? true : undefined;
    });
  }

  private async startRouter(): Promise<void> {
    const name = this.container("nat");
    const network = ["--network", `${this.name}-a`, "--ip", this.address("a", 254)];
    await docker("create", "--name", name, ...network, "--cap-add", "NET_ADMIN", "--sysctl", "net.ipv4.ip_forward=1", image, "sleep", "infinity");
    await docker("network", "connect", "--ip", this.address("b", 254), `${this.name}-b`, name);
    await docker("network", "connect", "bridge", name);
    await docker("start", name);
    const { stdout } = await run("docker", ["inspect", "-f", "{{.NetworkSettings.Networks.bridge.Gateway}}", name]);
    await docker("exec", name, "ip", "route", "replace", "default", "via", stdout.trim());
    const [a, b] = [`${this.address("a", 0)}/24`, `${this.address("b", 0)}/24`];
    const rules = [
      "table ip router {",
      "chain out { type nat hook postrouting priority srcnat;",
      `ip saddr ${b} ip daddr != ${b} masquerade random; ip saddr ${a} ip daddr != { ${a}, ${b} } masquerade; }`,
      "chain through { type filter hook forward priority filter; policy drop;",
      `ct state established,related accept; ip saddr ${b} accept; ip saddr ${a} ip daddr != ${b} accept; }`,
      "}",
    ].join("\n");
    await docker("exec", name, "nft", rules);
  }

  private async startHost({ key, site, address }: SiteHost): Promise<void> {
    const folder = join(root, ".lab", "two-sites");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "host"), hostKey.privateKey, { mode: 0o600 });
    const name = this.container(key);
    const options =
      "--cap-add ALL --cap-drop SYS_RESOURCE --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined " +
      "--cgroupns=private --stop-signal SIGRTMIN+3 -v /var/lib/docker --tmpfs /run --tmpfs /run/lock -e container=docker --device /dev/net/tun";
    await docker("create", "--name", name, "--hostname", name, "--network", `${this.name}-${site}`, "--ip", address, ...options.split(" "), image);
    await docker("cp", join(folder, "host"), `${name}:/etc/ssh/ssh_host_ed25519_key`);
    await docker("start", name);
    await this.on(key, `install -d -m 700 /root/.ssh; echo '${client.publicKey}' >/root/.ssh/authorized_keys`);
    await this.routeByRouter(key, this.address(site, 254));
  }

  /** Docker gives its own default route back on every start of the container. */
  private async routeByRouter(key: string, router: string): Promise<void> {
    const unit = [
      "[Unit]",
      "Before=network.target",
      "[Service]",
      "Type=oneshot",
      `ExecStart=ip route replace default via ${router}`,
      "[Install]",
      "WantedBy=multi-user.target",
    ];
    await this.on(key, `printf '%s\\n' ${unit.map((line) => `'${line}'`).join(" ")} >/etc/systemd/system/site-router.service`);
    await eventually(`${key} routes by its site's router`, 30, async () => {
      const { code } = await run("docker", ["exec", this.container(key), "systemctl", "enable", "--now", "site-router.service"]);
      return code === 0 ? true : undefined;
    });
  }
}

async function docker(...args: string[]): Promise<void> {
  const { code, stderr } = await run("docker", args);
  assert.equal(code, 0, stderr);
}
