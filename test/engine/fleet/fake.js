"use strict";
/*
 * Loaded before one of our programs (`node --require`), it puts hosts that exist only in a file in the place of SSH, Docker and what scripts
 * find on hosts: FLEET is that file. All else of a run is what it is: Pulumi, the plugin, its environment, the phases, the memory, and each
 * script with its values. Of each run it notes what came in and what went to the hosts.
 */
const { createHash } = require("node:crypto");
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
const { Duplex } = require("node:stream");
const consumers = require("node:stream/consumers");

// A Pulumi program that loads it itself says where the package is.
const components = process.env.FLEET_COMPONENTS ?? join(dirname(process.argv[1]), "..");
const load = (path) => require(join(components, path));
const file = process.env.FLEET;
const world = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { swarm: null, hosts: {}, runs: [] };
const variable = (name) => Buffer.byteLength(process.env[name] ?? "");
const run = { program: process.argv[1].split("/").at(-1), stdout: variable("PULUMI_COMMAND_STDOUT"), stderr: variable("PULUMI_COMMAND_STDERR") };
Object.assign(run, { request: 0, sessions: 0, mostSessions: 0 });
world.runs.push(run);
process.on("exit", () => {
  const seconds = performance.now() / 1000;
  Object.assign(run, { seconds, memory: process.resourceUsage().maxRSS / 2 ** 10, manager: mostSent("manager"), worker: mostSent("worker") });
  writeFileSync(file, JSON.stringify(world));
});
const { text } = consumers;
consumers.text = async (stream) => {
  const read = await text(stream);
  run.request = Buffer.byteLength(read);
  return read;
};

/** What went to each host in this run: `dials`, `commands`, `bytes` of them with their input, and `calls` of Docker. */
const sent = new Map();
function count(host, what, number = 1) {
  const own = sent.get(host) ?? { dials: 0, commands: 0, bytes: 0, calls: 0 };
  sent.set(host, own);
  own[what] += number;
}

/** To one host of this role. */
function mostSent(role) {
  const hosts = [...sent].filter(([host]) => (host.role ?? "worker") === role);
  const most = (what) => Math.max(0, ...hosts.map(([, own]) => own[what]));
  return { dials: most("dials"), commands: most("commands"), bytes: most("bytes"), calls: most("calls") };
}

/** A host of the world may be `dead`, which nobody reaches, or `bare`: without IPVS in its kernel. */
const hostAt = (address) => (world.hosts[address] ??= { address, nodeId: "", files: {} });

const { loadScript, scriptInput } = load("remote/script");
const names = [
  "engine/probe",
  "engine/bridges",
  "engine/engine",
  "engine/replace",
  "maintenance/maintenance",
  "firewall/firewall",
  "gossip/gossip",
  "memory/memory",
  "addresses/path-mtu",
];
const scripts = new Map([...names, "owner/owner", "underlay/wireguard/wireguard"].map((name) => [name, loadScript(components, `${name}.sh`)]));

/** What the scripts answer, by name and verb. */
const answers = {
  "engine/probe probe": (host, values) => ({
    ...probe,
    also: Object.fromEntries(values.ALSO.split(" ").map((name) => [name, beside[name](host, values)])),
    ipvs: !host.bare,
    macvlan: null,
    folders: [],
    epoch: Date.now() / 1000,
    freeKilobytes: 9e6,
    hostname: "fake",
  }),
  "engine/bridges up": (host, { SUBNET, GATEWAY, MTU }) => {
    const options = { "com.docker.network.driver.mtu": MTU };
    host.gwbridge = { IPAM: { Config: [{ Subnet: SUBNET, Gateway: GATEWAY }] }, Options: options, Containers: {} };
  },
  "engine/engine configure": (host, { CONTENT }) => void (host.daemon = Buffer.from(CONTENT).toString("base64")),
  // No cluster of the fleet names a version, so nothing is held.
  "engine/replace release": () => {},
  "maintenance/maintenance forget": () => {},
  "firewall/firewall apply": ({ files }, { RULESET, LIMIT_SECONDS }) => {
    const digest = createHash("sha256").update(RULESET).digest("hex");
    const changed = files.firewall !== digest;
    files.firewall = digest;
    return changed ? { changed, seconds: Number(LIMIT_SECONDS) } : { changed };
  },
  "firewall/firewall confirm": () => {},
  "firewall/firewall down": ({ files }) => void delete files.firewall,
  "gossip/gossip ports": () => ({ holders: [] }),
  "gossip/gossip ping": () => ({ tried: true, silent: [] }),
  "memory/memory read": ({ files }, { NAME }) => ({ memory: files[`memory.${NAME}`] ?? null }),
  "memory/memory write": ({ files }, { NAME, MEMORY }) => void (files[`memory.${NAME}`] = MEMORY),
  "memory/memory remove": ({ files }, { NAME }) => void delete files[`memory.${NAME}`],
  "addresses/path-mtu check": (_host, { PEERS, MTU }) => ({
    ping: true,
    passed: Object.fromEntries(PEERS.split("\n").map((peer) => [peer, Number(MTU)])),
  }),
  "owner/owner look": owners,
  "owner/owner claim": owners,
  "owner/owner release": owners,
  "underlay/wireguard/wireguard down": () => {},
};

/** What the probe asks beside its own. */
const beside = {
  bridges_seen: ({ daemon = "" }) => ({ daemon, unapplied: false, tablesWithoutRules: [] }),
  other_firewalls: () => ({ drops: [], ufw: false, firewalld: false, firewalldCloses: false, nftablesEnabled: false, flushes: false, ours: false }),
  owners,
  claimed: ({ files }, { PARTS, OWNER }) => PARTS.split(" ").filter((part) => files[`owner.${part}`] === OWNER),
};

function owners({ files }, { PARTS, OWNER, FORMERLY }, verb) {
  const parts = PARTS.split(" ");
  const isOurs = (part) => [undefined, OWNER, ...FORMERLY.split("\n")].includes(files[`owner.${part}`]);
  if (verb === "claim" && parts.every(isOurs)) for (const part of parts) files[`owner.${part}`] = OWNER;
  if (verb === "release") for (const part of parts.filter(isOurs)) delete files[`owner.${part}`];
  return Object.fromEntries(parts.map((part) => [part, JSON.parse(files[`owner.${part}`] ?? "null")]));
}

class Session {
  constructor(key, { host }) {
    Object.assign(this, { host: key, address: host });
    count(hostAt(host), "dials");
    run.mostSessions = Math.max(run.mostSessions, ++run.sessions);
  }
  async script(text, values, { verb }) {
    const host = hostAt(this.address);
    const name = [...scripts].find(([, script]) => text.endsWith(script))?.[0];
    const answer = answers[`${name} ${verb}`];
    if (!answer)
      throw new Error(`${this.host}: this fleet knows no such script: ${name} ${verb} ${text.slice(-200)} ${JSON.stringify(Object.keys(values))}`);
    count(host, "commands");
    count(host, "bytes", Buffer.byteLength(scriptInput(text, verb, values)));
    return answer(host, values, verb) ?? {};
  }
  /** Only a lock asks for one. */
  async stream(command, use) {
    const host = hostAt(this.address);
    count(host, "commands");
    count(host, "bytes", Buffer.byteLength(command));
    return use(new Lock());
  }
  close() {
    run.sessions -= 1;
  }
}

/** One that nobody else holds. */
class Lock extends Duplex {
  constructor() {
    super();
    this.push("locked\n");
  }
  _read() {}
  _write(beats, _encoding, done) {
    setImmediate(() => this.push("beat\n".repeat(beats.length)));
    done();
  }
}

class Api {
  constructor(key, docker) {
    Object.assign(this, { key, own: hostAt(docker.session.address) });
    return new Proxy(this, {
      get: (api, name) => {
        if (name in Api.prototype && name !== "node") count(api.own, "calls");
        return api[name];
      },
    });
  }
  node() {
    return world.swarm?.nodes.find(({ id }) => id === this.own.nodeId);
  }
  async local() {
    const node = this.node();
    const manager = node?.role === "manager";
    const state = node ? "active" : "inactive";
    const remoteManagers = (world.swarm?.nodes ?? []).filter(({ role }) => role === "manager").map(({ id, address }) => ({ nodeId: id, address }));
    return {
      state,
      nodeId: node?.id ?? "",
      address: node?.address ?? "",
      swarmId: manager ? world.swarm.id : "",
      controlAvailable: manager,
      error: "",
      remoteManagers,
    };
  }
  enter(role, address) {
    this.own.role = role;
    this.own.nodeId = `node${String(++world.swarm.made).padStart(21, "0")}`;
    world.swarm.nodes.push({
      id: this.own.nodeId,
      hostname: this.key,
      role,
      address,
      availability: "active",
      state: "ready",
      labels: {},
      leader: false,
    });
  }
  async init({ labels, advertiseAddress }) {
    world.swarm = { id: "swarmofathousandhosts0000", version: 1, labels, nodes: [], made: 0 };
    this.enter("manager", advertiseAddress);
  }
  async join({ token, advertiseAddress }) {
    this.enter(token, advertiseAddress);
  }
  async leave() {
    if (world.swarm) world.swarm.nodes = world.swarm.nodes.filter(({ id }) => id !== this.own.nodeId || id === "");
    this.own.nodeId = "";
  }
  async joinTokens() {
    return { manager: "manager", worker: "worker" };
  }
  async nodes() {
    return world.swarm.nodes.map((node, place) => ({
      ...node,
      leader: place === 0,
      ...(node.role === "manager" && { reachability: node.state === "down" ? "unreachable" : "reachable" }),
    }));
  }
  async updateNode(id, change) {
    Object.assign(
      world.swarm.nodes.find((node) => node.id === id),
      change,
    );
  }
  async removeNode(id) {
    world.swarm.nodes = world.swarm.nodes.filter((node) => node.id !== id);
  }
  async settings() {
    const { version, labels } = world.swarm;
    return { version, labels, autolock: false, certificateHours: 2160, caRotating: false };
  }
  async updateSwarm(version, { labels = {} }) {
    Object.assign(world.swarm, { version: version + 1, labels: { ...world.swarm.labels, ...labels } });
  }
  async unlockKey() {
    return "";
  }
  async unlock() {}
  async runningTasks() {
    return 0;
  }
  async services() {
    return [];
  }
}

const probe = {
  cli: true,
  swarmNftables: false,
  distribution: "debian trixie",
  apt: true,
  systemd: true,
  settingUp: "",
  vxlan: true,
  ipvs: true,
  ipsec: null,
};
load("remote/ssh").SshSession.open = async (key, connection) => {
  if (hostAt(connection.host).dead)
    throw new Error(`${key}: cannot be reached over SSH at root@${connection.host}:22 within 20 s: connection refused.`);
  return new Session(key, connection);
};
/** As much of the API as is asked of each host. */
const { DockerApiError } = load("remote/docker-api");
load("remote/docker-api").DockerApi = class {
  constructor(key, session) {
    Object.assign(this, { key, session });
  }
  async get(path) {
    const host = hostAt(this.session.address);
    count(host, "calls");
    switch (path) {
      case "/version":
        return { Version: "26.1.5", ApiVersion: "1.45" };
      case "/info":
        return { Swarm: { LocalNodeState: host.nodeId ? "active" : "inactive" } };
      case "/networks":
        return [{ Id: "ingress", Ingress: true, Scope: "swarm" }];
      case "/networks/ingress":
        return { Containers: { "ingress-sbox": { IPv4Address: `${host.address}/20` } }, Peers: JSON.parse(peers()) };
      case "/networks/docker_gwbridge":
        if (host.gwbridge) return host.gwbridge;
    }
    throw new DockerApiError(this.key, 404, `this fleet's Docker has no ${path}`, `GET ${path}`);
  }
  close() {}
};
/** All members are on the swarm's own network. */
const peers = () => JSON.stringify(world.swarm.nodes.map(({ hostname, address }) => ({ Name: hostname, IP: address })));
load("membership/docker-swarm-api").DockerSwarmApi = Api;
load("networks/ingress").placeIngress = async () => false;
const down = async (hosts) => {
  for (const { session } of hosts) delete hostAt(session.address).files.overlay;
  return [];
};
const { overlayAgents } = load("overlays/agents");
for (const agent of Object.values(overlayAgents))
  Object.assign(agent, { up: async () => [], depart: ({ departing }) => down(departing.filter(({ session }) => session)), down });
