"use strict";
/*
 * Loaded before one of our programs (`node --require`), it puts hosts that exist only in a file in the place of SSH, Docker and what is
 * found on hosts: FLEET is that file. All else of a run is what it is: Pulumi, the plugin, its environment, the phases, the memory.
 */
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const { dirname, join } = require("node:path");

// A Pulumi program that loads it itself says where the package is.
const components = process.env.FLEET_COMPONENTS ?? join(dirname(process.argv[1]), "..");
const load = (path) => require(join(components, path));
const file = process.env.FLEET;
const world = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { swarm: null, hosts: {}, runs: [] };
const variable = (name) => Buffer.byteLength(process.env[name] ?? "");
world.runs.push({ program: process.argv[1].split("/").at(-1), stdout: variable("PULUMI_COMMAND_STDOUT"), stderr: variable("PULUMI_COMMAND_STDERR") });
process.on("exit", () => writeFileSync(file, JSON.stringify(world)));

/** A host of the world may be `dead`, which nobody reaches, or `bare`: without IPVS in its kernel. */
const hostAt = (address) => (world.hosts[address] ??= { address, nodeId: "", files: {} });

class Session {
  constructor(key, { host }) {
    Object.assign(this, { host: key, address: host });
  }
  async script(text, values, { verb }) {
    const { files } = hostAt(this.address);
    if ("NAME" in values) {
      const name = `memory.${values.NAME}`;
      if (verb === "write") files[name] = values.MEMORY;
      if (verb === "remove") delete files[name];
      return { memory: files[name] ?? null };
    }
    if ("PARTS" in values) return this.owners(files, values, verb);
    if ("INTERFACE" in values && verb === "down") return {};
    if ("DATA_PORT" in values) return { holders: [] };
    throw new Error(`${this.host}: this fleet knows no such script: ${text.slice(-200)} ${JSON.stringify(Object.keys(values))}`);
  }
  owners(files, { PARTS, OWNER, FORMERLY }, verb) {
    const parts = PARTS.split(" ");
    const isOurs = (part) => [undefined, OWNER, ...FORMERLY.split("\n")].includes(files[`owner.${part}`]);
    if (verb === "claim" && parts.every(isOurs)) for (const part of parts) files[`owner.${part}`] = OWNER;
    if (verb === "release") for (const part of parts.filter(isOurs)) delete files[`owner.${part}`];
    return Object.fromEntries(parts.map((part) => [part, JSON.parse(files[`owner.${part}`] ?? "null")]));
  }
  close() {}
}

class Api {
  constructor(key, docker) {
    Object.assign(this, { key, own: hostAt(docker.session.address) });
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
}

const probe = {
  engine: "26.1.5 1.45",
  cli: true,
  firewall: null,
  distribution: "debian trixie",
  apt: true,
  systemd: true,
  vxlan: true,
  ipvs: true,
  ipsec: null,
};
load("remote/ssh").SshSession.open = async (key, connection) => {
  if (hostAt(connection.host).dead)
    throw new Error(`${key}: cannot be reached over SSH at root@${connection.host}:22 within 20 s: connection refused.`);
  return new Session(key, connection);
};
load("remote/docker-api").DockerApi = class {
  constructor(key, session) {
    Object.assign(this, { key, session });
  }
  close() {}
};
load("agents/phases/lock").lockHosts = async () => {};
load("membership/docker-swarm-api").DockerSwarmApi = Api;
load("engine").probeHost = async ({ address }) => ({
  ...probe,
  ipvs: !hostAt(address).bare,
  macvlan: null,
  folders: [],
  epoch: Date.now() / 1000,
  freeKilobytes: 9e6,
  hostname: "fake",
});
load("engine").pendingChanges = async () => ({ member: false, warnings: [] });
load("gossip/prove").proveMembers = async () => [];
load("networks/ingress").placeIngress = async () => false;
load("network/path-mtu").checkPathMtu = async () => ({ failures: [], notes: [] });
load("firewall/apply").removeFirewall = async () => {};
const down = async (hosts) => {
  for (const { session } of hosts) delete hostAt(session.address).files.overlay;
  return [];
};
const { overlayAgents } = load("overlays/agents");
for (const agent of Object.values(overlayAgents))
  Object.assign(agent, { up: async () => [], depart: ({ departing }) => down(departing.filter(({ session }) => session)), down });
