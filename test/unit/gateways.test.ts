import assert from "node:assert/strict";
import { planCluster, type SwarmClusterArgs } from "../../components";
import { summarize } from "../../components/cluster/summary";
import { haproxyConfig } from "../../components/gateways/haproxy";
import * as existing from "../../components/hosts/existing";
import { native } from "../../components/overlays/native";
import { weave } from "../../components/overlays/weave";
import { wireguard } from "../../components/underlay/wireguard";
import { clientKey } from "./client-key";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";

function group(role: "manager" | "worker", site: string, third: number, ...names: readonly string[]): ReturnType<typeof existing.hosts> {
  const machines = Object.fromEntries(
    names.map((name, index) => [name, { address: `192.168.${third}.${index + 10}`, publicAddress: `203.0.113.${third * 10 + index}`, hostKey }]),
  );
  return existing.hosts({ role, site, network: `192.168.${third}.0/24`, privateKey: clientKey, machines });
}

const oracle = { to: "192.168.7.20", port: 1521, on: "group rack", networks: ["web"] } as const;
const hosts = { control: group("manager", "cloud", 5, "a", "b", "c"), rack: group("worker", "rack", 7, "a", "b", "c") };
const base: SwarmClusterArgs = {
  hosts,
  underlay: wireguard(),
  networks: { web: {}, store: {}, db: { internal: true } },
  firewall: { ssh: ["198.51.100.0/24"] },
  gateways: { oracle },
};

function planned(args: Partial<SwarmClusterArgs> = {}): ReturnType<typeof planCluster>["plan"] {
  const { plan, problems } = planCluster({ ...base, ...args });
  assert.deepEqual(problems, []);
  return plan;
}

describe("the plan of a gateway", () => {
  it("has what is reached, by which hosts, and what encrypts the way to them", () => {
    assert.deepEqual(planned().gateways, [
      {
        name: "oracle",
        to: "192.168.7.20",
        port: 1521,
        targetPort: 1521,
        on: "group rack",
        hosts: ["rack-a", "rack-b", "rack-c"],
        replicas: 2,
        networks: ["web"],
        image: "docker.io/library/haproxy:3.0.11",
        encryptedBy: "inside the wireguard underlay",
      },
    ]);
  });

  it("labels the hosts that may run it, beside their own labels, and no other", () => {
    const { hosts: all } = planned({ gateways: { oracle, files: { ...oracle, on: "host rack-a" } } });
    assert.deepEqual(Object.fromEntries(all.map(({ key, labels }) => [key, Object.keys(labels)])), {
      "control-a": [],
      "control-b": [],
      "control-c": [],
      "rack-a": ["pulumi-swarm.gateway.oracle", "pulumi-swarm.gateway.files"],
      "rack-b": ["pulumi-swarm.gateway.oracle"],
      "rack-c": ["pulumi-swarm.gateway.oracle"],
    });
    assert.deepEqual(planned({ gateways: {} }).hosts, planned({ gateways: undefined } as never).hosts);
  });

  it("knows hosts by their group, site, key and role, and leaves out those that the program keeps drained", () => {
    const on = (selector: string, more: Partial<SwarmClusterArgs> = {}): readonly string[] =>
      planned({ gateways: { oracle: { ...oracle, on: selector as "members" } }, ...more }).gateways.flatMap(({ hosts: keys }) => keys);
    assert.deepEqual(on("site rack"), ["rack-a", "rack-b", "rack-c"]);
    assert.deepEqual(on("host control-b"), ["control-b"]);
    assert.deepEqual(on("managers"), ["control-a", "control-b", "control-c"]);
    assert.equal(on("members").length, 6);
    assert.deepEqual(on("workers", { maintenance: { drained: ["rack-b"] } }), ["rack-a", "rack-c"]);
  });

  it("runs one task where there is one host", () => {
    assert.equal(planned({ gateways: { oracle: { ...oracle, on: "host rack-a" } } }).gateways[0]?.replicas, 1);
  });

  it("takes its image from the mirror, or as it is told", () => {
    const image = (more: object, args: Partial<SwarmClusterArgs> = {}): string | undefined =>
      planned({ gateways: { oracle: { ...oracle, ...more } }, ...args }).gateways[0]?.image;
    assert.equal(image({}, { programs: { mirror: "10.0.0.1:5000" } }), "10.0.0.1:5000/library/haproxy:3.0.11");
    assert.equal(image({ program: { version: "3.2" } }), "docker.io/library/haproxy:3.2");
    const digest = `sha256:${"a".repeat(64)}`;
    assert.equal(image({ program: { image: "registry.example.com/haproxy", digest } }), `registry.example.com/haproxy:3.0.11@${digest}`);
  });

  it("is read in the summary", () => {
    assert.match(
      summarize("prod", planned()),
      /^ {2}gateways {3}oracle:1521 on web leads to 192\.168\.7\.20:1521 through 2 of 3 hosts of "group rack"; encrypted up to there: inside the wireguard underlay$/m,
    );
  });

  it("says what encrypts the way, by the overlay, by the underlay, or by nothing", () => {
    const one = { hosts: { rack: group("manager", "rack", 7, "a") }, underlay: undefined } as unknown as Partial<SwarmClusterArgs>;
    const by = (args: Partial<SwarmClusterArgs>): string | undefined => planned(args).gateways[0]?.encryptedBy;
    assert.equal(by(one), "nothing");
    assert.equal(by({ ...one, overlay: native({ encrypted: true }) }), "IPsec ESP, AES-128-GCM");
    assert.match(by({ ...one, overlay: weave() }) ?? "", /^NaCl/);
  });

  it("warns where it has hosts of a site that may not reach it", () => {
    const of = (args: Partial<SwarmClusterArgs>): readonly string[] => planned(args).warnings.filter((line) => line.startsWith("gateway"));
    assert.deepEqual(of({}), []);
    assert.deepEqual(of({ gateways: { oracle: { ...oracle, on: "members" } } }), [
      'gateway oracle: 192.168.7.20 is in the network of site "rack", and "members" has hosts of site cloud too. If these do not reach it, name those of "site rack" alone',
    ]);
  });

  it("warns where containers' data crosses between sites in plaintext", () => {
    const { plan } = planCluster({ ...base, underlay: undefined } as unknown as SwarmClusterArgs);
    assert.deepEqual(
      plan.warnings.filter((line) => line.startsWith("gateway")),
      ["gateway oracle: what containers of site cloud send to it crosses between sites in plaintext. Take wireguard() as the underlay"],
    );
  });
});

/** What a user wrote, and all lines that it gives. */
const cases: readonly (readonly [what: string, gateways: unknown, ...lines: readonly string[]])[] = [
  [
    "no gateways",
    ["oracle"],
    'gateways: ["oracle"] does not describe gateways by name. Fix: write it as { oracle: { to: "192.168.7.20", port: 1521, on: "group rack", networks: ["web"] } }',
  ],
  [
    "no gateway",
    { oracle: "192.168.7.20" },
    'gateways.oracle: "192.168.7.20" does not describe a gateway. Fix: write it as { to: "192.168.7.20", port: 1521, on: "group rack", networks: ["web"] }',
  ],
  [
    "nothing of it",
    { oracle: {} },
    'gateways.oracle.to: an IPv4 address or a DNS name is missing. Fix: write such as "192.168.7.20" or "oracle.example.com"',
    "gateways.oracle.port: a port is missing. Fix: give a whole number from 1 to 65535",
    'gateways.oracle.on: it is not said which hosts can reach it. Fix: write such as "group NAME", "host KEY", "site KEY", "workers" or "members"',
    "gateways.oracle.networks: networks are missing. Fix: name some of web, store, db",
  ],
  [
    "all wrong at once",
    { Oracle: { to: "192.168.7.20:1521", port: 70_000, on: "group rak", networks: ["wbe"], protocol: "udp" } },
    'gateways.Oracle: "Oracle" cannot name a gateway: containers look it up as a host name. Fix: use up to 63 lower-case letters, digits and dashes, a letter first',
    'gateways.Oracle.to: "192.168.7.20:1521" has a port in it. Fix: write to: "192.168.7.20", port: 1521',
    "gateways.Oracle.port: 70000 is not a port. Fix: give a whole number from 1 to 65535",
    'gateways.Oracle.on: there is no group "rak"; did you mean "group rack"? Fix: write "group rack"',
    'gateways.Oracle.networks[0]: "wbe" is not a network of the cluster; did you mean "web"? Fix: write "web"',
    "gateways.Oracle.protocol: a gateway carries TCP only, not UDP. Fix: leave it out if TCP will do; otherwise run a proxy for UDP as a service of your own",
  ],
  ["a name of each container's own", { localhost: oracle }, 'gateways.localhost: "localhost" is each container itself. Fix: choose another name'],
  [
    "an option of others",
    { oracle: { ...oracle, via: "group rack" } },
    "gateways.oracle.via: via is not an option of a gateway; did you mean on? Fix: write on",
  ],
  [
    "a number for a target",
    { oracle: { ...oracle, to: 20 } },
    'gateways.oracle.to: 20 is not an IPv4 address or a DNS name. Fix: write such as "192.168.7.20" or "oracle.example.com"',
  ],
  [
    "an address cut off",
    { oracle: { ...oracle, to: "192.168.7" } },
    'gateways.oracle.to: "192.168.7" is not an IPv4 address or a DNS name. Fix: write such as "192.168.7.20" or "oracle.example.com"',
  ],
  [
    "a URL",
    { oracle: { ...oracle, to: "http://files.example.com/a" } },
    'gateways.oracle.to: "http://files.example.com/a" is not an IPv4 address or a DNS name. Fix: write "files.example.com"',
  ],
  [
    "a URL with a port",
    { oracle: { ...oracle, to: "tcp://files.example.com:99" } },
    'gateways.oracle.to: "tcp://files.example.com:99" has a port in it. Fix: write to: "files.example.com", port: 99',
  ],
  [
    "a network",
    { oracle: { ...oracle, to: "192.168.7.0/24" } },
    'gateways.oracle.to: "192.168.7.0/24" is not an IPv4 address or a DNS name. Fix: write "192.168.7.0"',
  ],
  [
    "IPv6",
    { oracle: { ...oracle, to: "2001:db8::1" } },
    'gateways.oracle.to: "2001:db8::1" is an IPv6 address, and overlay networks have IPv4 alone. Fix: write such as "192.168.7.20" or "oracle.example.com"',
  ],
  [
    "itself",
    { oracle: { ...oracle, to: "oracle" } },
    "gateways.oracle.to: the gateway would lead to itself. Fix: write what is outside by its whole name or its address",
  ],
  [
    "another gateway",
    { oracle, files: { ...oracle, to: "oracle" } },
    'gateways.files.to: "oracle" is a gateway of the cluster itself. Fix: write what is outside by its whole name or its address',
  ],
  [
    "the container by name",
    { oracle: { ...oracle, to: "localhost" } },
    'gateways.oracle.to: "localhost" is the gateway\'s container itself. Fix: name the host by its address, and allow the port in firewall.allow',
  ],
  [
    "the container",
    { oracle: { ...oracle, to: "127.0.0.1" } },
    "gateways.oracle.to: 127.0.0.1 is the gateway's container itself. Fix: write the address of what is to be reached",
  ],
  [
    "a cloud's metadata",
    { oracle: { ...oracle, to: "169.254.169.254" } },
    "gateways.oracle.to: 169.254.169.254 is a link-local address, where clouds keep the credentials of a machine. Fix: write the address of what is to be reached",
  ],
  [
    "a multicast group",
    { oracle: { ...oracle, to: "239.0.0.1" } },
    "gateways.oracle.to: 239.0.0.1 is no address of one machine. Fix: write the address of what is to be reached",
  ],
  [
    "the address space",
    { oracle: { ...oracle, to: "10.96.0.9" } },
    "gateways.oracle.to: 10.96.0.9 is in 10.96.0.0/14, the address space of the cluster itself. Fix: services find each other by name, without a gateway; it is for what is outside",
  ],
  ["a port as a text", { oracle: { ...oracle, port: "1521/tcp" } }, 'gateways.oracle.port: "1521/tcp" is not a port. Fix: write 1521'],
  [
    "ports",
    { oracle: { ...oracle, port: [1521, 1522] } },
    "gateways.oracle.port: [1521,1522] are several ports, and a gateway has one. Fix: make a gateway for each",
  ],
  [
    "a range",
    { oracle: { ...oracle, targetPort: "1521-1530" } },
    'gateways.oracle.targetPort: "1521-1530" are several ports, and a gateway has one. Fix: make a gateway for each',
  ],
  [
    "half a port",
    { oracle: { ...oracle, targetPort: 1.5 } },
    "gateways.oracle.targetPort: 1.5 is not a port. Fix: give a whole number from 1 to 65535",
  ],
  [
    "a group by its name alone",
    { oracle: { ...oracle, on: "rack" } },
    'gateways.oracle.on: "rack" does not name hosts of the cluster; did you mean "group rack"? Fix: write "group rack"',
  ],
  [
    "a host by its key alone",
    { oracle: { ...oracle, on: "rack-b" } },
    'gateways.oracle.on: "rack-b" does not name hosts of the cluster; did you mean "host rack-b"? Fix: write "host rack-b"',
  ],
  [
    "a role",
    { oracle: { ...oracle, on: "worker" } },
    'gateways.oracle.on: "worker" does not name hosts of the cluster; did you mean "workers"? Fix: write "workers"',
  ],
  [
    "a host that is none",
    { oracle: { ...oracle, on: "host zebra" } },
    'gateways.oracle.on: there is no host "zebra". Fix: the hosts are control-a, control-b, control-c, rack-a, rack-b, rack-c',
  ],
  [
    "a host's key after the wrong word",
    { oracle: { ...oracle, on: "site rack-b" } },
    'gateways.oracle.on: there is no site "rack-b"; did you mean "site rack"? Fix: write "site rack"',
  ],
  [
    "no network",
    { oracle: { ...oracle, networks: [] } },
    "gateways.oracle.networks: it is empty, so no container could reach it. Fix: name some of web, store, db",
  ],
  ["one network as a text", { oracle: { ...oracle, networks: "web" } }, 'gateways.oracle.networks: "web" is not a list. Fix: write it as ["web"]'],
  [
    "a network twice",
    { oracle: { ...oracle, networks: ["web", "web"] } },
    'gateways.oracle.networks[1]: "web" is named twice. Fix: keep one of them',
  ],
  [
    "a network like none",
    { oracle: { ...oracle, networks: ["zebra"] } },
    'gateways.oracle.networks[0]: "zebra" is not a network of the cluster. Fix: the networks are web, store, db',
  ],
  [
    "internal networks alone",
    { oracle: { ...oracle, networks: ["db"] } },
    "gateways.oracle.networks: network db is internal, so the gateway itself would reach nothing outside. Fix: add a network that is not internal; containers on it reach the gateway too",
  ],
  [
    "a protocol that is none",
    { oracle: { ...oracle, protocol: "http" } },
    'gateways.oracle.protocol: "http" is not a protocol of gateways, which carry TCP only. Fix: leave it out',
  ],
  [
    "a file for its program",
    { oracle: { ...oracle, program: { url: "file:///haproxy", sha256: "0".repeat(64), version: "3" } } },
    "gateways.oracle.program.url: a gateway is a service and runs from an image, not from a file. Fix: give { version }, { image } or { digest }",
  ],
  [
    "an image that is none",
    { oracle: { ...oracle, program: { image: "HAProxy!" } } },
    'gateways.oracle.program.image: "HAProxy!" is not the name of an image. Fix: write registry/name, such as registry.example.com/flannel',
  ],
];

describe("a gateway that cannot be planned", () => {
  for (const [what, gateways, ...expected] of cases) {
    it(`is told of ${what}`, () => {
      const { problems } = planCluster({ ...base, gateways: gateways as NonNullable<SwarmClusterArgs["gateways"]> });
      // A question mark ends a sentence by itself.
      const lines = problems.map(({ path, message, fix }) => `${path}: ${message}${message.endsWith("?") ? "" : "."} Fix: ${fix}`);
      assert.deepEqual(lines, expected);
    });
  }

  it("is told of a network of the cluster's own, wherever that is pinned", () => {
    const { problems } = planCluster({
      ...base,
      networks: { web: { subnet: "172.20.3.0/24" } },
      gateways: { oracle: { ...oracle, to: "172.20.3.9" } },
    });
    assert.deepEqual(problems, [
      {
        path: "gateways.oracle.to",
        message: "172.20.3.9 is in 172.20.3.0/24, network web of the cluster itself",
        fix: "services find each other by name, without a gateway; it is for what is outside",
      },
    ]);
  });

  it("is told of hosts that are all drained", () => {
    const { problems } = planCluster({ ...base, maintenance: { drained: ["rack-a", "rack-b", "rack-c"] } });
    assert.deepEqual(
      problems.map(({ path, message }) => `${path}: ${message}`),
      ['gateways.oracle.on: all hosts of "group rack" are drained by maintenance.drained, so none could run it'],
    );
  });

  it("is told where the cluster has no networks", () => {
    const { problems } = planCluster({ ...base, networks: {}, gateways: { oracle: { ...oracle, networks: [] } } });
    assert.deepEqual(
      problems.map(({ fix }) => fix),
      ["give the cluster a network too: networks: { web: {} }"],
    );
  });
});

describe("the configuration of HAProxy", () => {
  it("leads one port to one address", () => {
    const common = [
      "global",
      "  log stdout format raw daemon notice",
      "  maxconn 4000",
      "  no strict-limits",
      "defaults",
      "  mode tcp",
      "  log global",
      "  option clitcpka",
      "  option srvtcpka",
      "  timeout connect 5s",
      "  timeout client 24h",
      "  timeout server 24h",
    ];
    const gateway = { name: "oracle", to: "192.168.7.20", port: 80, targetPort: 1521 };
    assert.deepEqual(haproxyConfig(gateway).split("\n"), [...common, "listen oracle", "  bind :80", "  server target 192.168.7.20:1521", ""]);
    assert.deepEqual(haproxyConfig({ ...gateway, to: "oracle.example.com" }).split("\n"), [
      ...common,
      "resolvers docker",
      "  nameserver docker 127.0.0.11:53",
      "listen oracle",
      "  bind :80",
      "  server target oracle.example.com:1521 resolvers docker resolve-prefer ipv4 init-addr libc,none",
      "",
    ]);
  });
});
