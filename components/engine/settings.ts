import { createHash } from "node:crypto";
import { nearestName } from "../nearest";
import { isRecord } from "../options";
import { type Report, show } from "../report";
import { readAgain } from "./bridges";
import { backendProblem, backendWarning } from "./known";

/*
 * Keys of daemon.json that engines from 20.10 to 29 know, by the kind of their values: moby's daemon/config/config.go and config_linux.go.
 * An engine does not start with another kind, nor with a key that it does not know. A newer one may know more, so that those are warned of.
 */

type Kind = "text" | "flag" | "number" | "list" | "object" | "texts by name";

const keys: Readonly<Record<Kind, readonly string[]>> = {
  text: [
    ...["api-cors-header", "bip", "bip6", "bridge", "cgroup-parent", "containerd", "containerd-namespace", "containerd-plugins-namespace"],
    ...["cluster-advertise", "cluster-store", "data-root", "default-cgroupns-mode", "default-gateway", "default-gateway-v6", "default-ipc-mode"],
    ...["default-runtime", "exec-root", "firewall-backend", "fixed-cidr", "fixed-cidr-v6", "graph", "group", "host-gateway-ip", "init-path", "ip"],
    ...["log-driver", "log-format", "log-level", "metrics-addr", "min-api-version", "pidfile", "seccomp-profile", "storage-driver"],
    ...["swarm-default-advertise-addr", "tlscacert", "tlscert", "tlskey", "userland-proxy-path", "userns-remap", "bridge-accept-fwmark"],
  ],
  flag: [
    ...["allow-direct-routing", "debug", "experimental", "icc", "init", "ip-forward", "ip-forward-no-drop", "ip-masq", "ip6tables", "iptables"],
    ...["ipv6", "live-restore", "no-new-privileges", "raw-logs", "rootless", "selinux-enabled", "tls", "tlsverify", "userland-proxy", "validate"],
  ],
  number: [
    ...["max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts", "mtu", "network-control-plane-mtu"],
    ...["network-diagnostic-port", "oom-score-adjust", "shutdown-timeout"],
  ],
  list: [
    ...["allow-nondistributable-artifacts", "authorization-plugins", "cdi-spec-dirs", "default-address-pools", "dns", "dns-opts", "dns-search"],
    ...["exec-opts", "host-gateway-ips", "hosts", "insecure-registries", "labels", "node-generic-resources", "registry-mirrors", "storage-opts"],
  ],
  object: ["builder", "cluster-store-opts", "default-network-opts", "default-ulimits", "features", "nri-opts", "proxies", "runtimes"],
  "texts by name": ["log-opts"],
};

/** These take more than one kind, which only Docker can tell. */
const loose = ["default-shm-size"];

const kinds = new Map(Object.entries(keys).flatMap(([kind, names]) => names.map((name) => [name, kind as Kind] as const)));

type Settings = Readonly<Record<string, unknown>>;

/** Says what is wrong with keys of daemon.json: with most of it, the engine would not start again on any host. */
export function checkSettings(settings: Settings, version: string | undefined, report: Report): void {
  for (const [name, value] of Object.entries(settings)) if (name !== "live-restore") checkKind(name, value, report);
  if (!(settings["live-restore"] === undefined || settings["live-restore"] === false)) {
    report("engine.settings", "live-restore does not work in a swarm: the engine would not start", "leave it out");
  }
  if (settings["hosts"] !== undefined) {
    const message = "the service of Docker says itself where the engine listens (-H fd://), and beside hosts the engine would not start";
    report("engine.settings.hosts", message, "leave it out; Docker's client comes by SSH, as the output dockerHost says");
  }
  const root: unknown = settings["data-root"];
  if (typeof root === "string" && !root.startsWith("/")) {
    report("engine.settings.data-root", `${show(root)} is not a whole path`, 'write it from the root on, such as "/srv/docker"');
  }
  const backend = backendProblem(settings, version);
  if (backend) report("engine.settings", backend.message, backend.fix);
}

function checkKind(name: string, value: unknown, report: Report): void {
  const path = `engine.settings.${name}`;
  const kind = kinds.get(name);
  if (kind === undefined || isOfKind(kind, value)) return;
  const problem = (what: string, fix: string): void => report(path, `${show(value)} is not ${what}, and the engine would not start`, fix);
  switch (kind) {
    case "text":
      return problem("a text", typeof value === "object" ? "write a text" : `write it as "${show(value)}"`);
    case "flag":
      return problem("true or false", typeof value === "string" && /^(?:true|false)$/.test(value) ? `write ${value}` : "write true or false");
    case "number":
      return problem("a whole number", typeof value === "string" && /^\d+$/.test(value) ? `write ${value}` : "write one, such as 1400");
    case "list":
      if (name === "default-address-pools") return problem("a list", 'write it as [{ base: "10.30.0.0/16", size: 24 }]');
      return problem("a list", typeof value === "string" ? `write it as ${show([value])}` : "write it as [ … ]");
    case "object":
      return problem("a set of values by name", "write it as { … }");
    case "texts by name":
      return problem("a set of texts by name", 'write each value as a text, such as { "max-size": "10m", "max-file": "3" }');
    default:
      return kind satisfies never;
  }
}

function isOfKind(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case "text":
      return typeof value === "string";
    case "flag":
      return typeof value === "boolean";
    case "number":
      return Number.isInteger(value);
    case "list":
      return Array.isArray(value);
    case "object":
      return isRecord(value);
    case "texts by name":
      return isRecord(value) && Object.values(value).every((text) => typeof text === "string");
    default:
      return kind satisfies never;
  }
}

/** What works, or may, but is worth a thought. */
export function settingsWarnings(settings: Settings): string[] {
  const backend = backendWarning(settings);
  const strange = Object.keys(settings).filter((name) => !kinds.has(name) && !loose.includes(name));
  return [
    ...(backend === undefined ? [] : [`engine.settings: ${backend}`]),
    ...strange.map((name) => {
      const meant = nearestName(name, [...kinds.keys()]);
      return `engine.settings.${name}: this package does not know such a key of daemon.json, and an engine that does not know it would not start${meant === undefined ? "" : `; did you mean ${meant}?`}`;
    }),
    ...(settings["iptables"] === false
      ? ["engine.settings.iptables: without Docker's rules no port is published, and containers have no way out except by your own rules"]
      : []),
  ];
}

/**
 * Settings for which engines start again, so that a change of them shows in a plain state. Values may be secrets, such as a proxy's password:
 * of each there are 16 bits of its SHA-256: they tell of a change, but for one in 65536, and nobody what it is.
 */
export function settingsMarks(settings: Settings): Readonly<Record<string, string>> {
  const names = Object.keys(settings).filter((name) => !readAgain.includes(name));
  return Object.fromEntries(names.map((name) => [name, markOf(settings[name])]));
}

function markOf(value: unknown): string {
  const sorted = (_: string, part: unknown): unknown => (isRecord(part) ? Object.fromEntries(Object.entries(part).sort()) : part);
  return createHash("sha256")
    .update(JSON.stringify(value, sorted) ?? "")
    .digest("hex")
    .slice(0, 4);
}
