import assert from "node:assert/strict";
import type { SwarmClusterArgs } from "../../components/cluster/args";
import { planCluster } from "../../components/cluster/plan";
import * as existing from "../../components/hosts/existing";
import type { HostGroup } from "../../components/hosts/host";
import type { Problem } from "../../components/report";
import { flannel } from "../../components/overlays/flannel";
import { weave } from "../../components/overlays/weave";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";

function machines(role: "manager" | "worker", count: number): HostGroup {
  const block = role === "manager" ? 70 : 71;
  const each = Array.from({ length: count }, (_, place): [string, existing.ExistingMachine] => [
    `h${place}`,
    { address: `10.${block}.${Math.floor(place / 250)}.${(place % 250) + 1}`, hostKey },
  ]);
  return existing.hosts({ role, site: "rack", network: "10.64.0.0/11", agentSocket: "/run/agent", machines: Object.fromEntries(each) });
}

/** With so many hosts, one of them a manager. */
function planOf(
  hosts: number,
  args: Partial<SwarmClusterArgs> = {},
): { readonly problems: readonly Problem[]; readonly warnings: readonly string[] } {
  const groups = { control: machines("manager", 1), edge: machines("worker", hosts - 1) };
  const { plan, problems } = planCluster({ hosts: groups, firewall: { ssh: ["203.0.113.0/24"] }, ...args });
  return { problems, warnings: plan.warnings };
}

interface Case {
  readonly when: string;
  readonly hosts: number;
  readonly args: Partial<SwarmClusterArgs>;
  readonly warnings: readonly string[];
}

const network = "a network cannot be changed while a service uses it";
const ingress = "it cannot be changed while a service publishes ports by it";

const cases: readonly Case[] = [
  { when: "nothing is too small for the hosts", hosts: 126, args: { networks: { web: {}, db: { prefix: 23 } } }, warnings: [] },
  {
    when: "one host more runs a task of the service that runs on each",
    hosts: 127,
    args: { networks: { web: {}, db: { prefix: 23 } } },
    warnings: [
      "network web (a /24) has 253 addresses. Docker takes one on each host that runs a task there, so with tasks on all 127 hosts 126 remain for tasks and virtual addresses: " +
        `too few for a service with a task on each host, which takes 128. Take a /23: ${network}`,
    ],
  },
  {
    when: "the hosts alone take all addresses of several networks, some of them pinned",
    hosts: 300,
    args: { networks: { web: {}, db: { prefix: 28 }, api: { subnet: "10.99.7.0/24" }, logs: { prefix: 22 } } },
    warnings: [
      "network db (a /28) has 13 addresses. Docker takes one on each host that runs a task there, so with tasks on all 300 hosts none remain for tasks and virtual addresses: " +
        `too few for a service with a task on each host, which takes 301. Take a /22: ${network}`,
      "networks api, web (a /24 each) have 253 addresses each. Docker takes one on each host that runs a task there, so with tasks on all 300 hosts none remain for tasks and virtual " +
        `addresses: too few for a service with a task on each host, which takes 301. Take a /22: ${network}`,
    ],
  },
  {
    when: "there are many networks",
    hosts: 200,
    args: { networks: Object.fromEntries(Array.from({ length: 30 }, (_, place) => [`n${place + 10}`, {}])) },
    warnings: [
      "networks n10, n11, n12 and 27 more (a /24 each) have 253 addresses each. Docker takes one on each host that runs a task there, so with tasks on all 200 hosts " +
        `53 remain for tasks and virtual addresses: too few for a service with a task on each host, which takes 201. Take a /23: ${network}`,
    ],
  },
  { when: "a network is larger than Docker's page advises", hosts: 3, args: { networks: { web: { prefix: 16 } } }, warnings: [] },
  {
    when: "the ingress network has room for the hosts, and for few tasks",
    hosts: 40,
    args: { addressSpace: "10.96.0.0/20" },
    warnings: [
      "the ingress network (a /26) has 61 addresses. Docker takes one on each of the 40 hosts, so 21 remain for tasks and virtual addresses of services that publish ports: " +
        `too few for a service with a task on each host, which takes 41. Take a larger addressSpace, or set pins["ingress"] to a free /25: ${ingress}`,
    ],
  },
  {
    when: "the ingress network is pinned with room for all",
    hosts: 40,
    args: { addressSpace: "10.96.0.0/20", pins: { ingress: "192.168.5.0/25" } },
    warnings: [],
  },
  {
    when: "few containers of overlay networks have an address on docker_gwbridge",
    hosts: 2,
    args: { addressSpace: "10.96.0.0/20", networks: { web: {} } },
    warnings: [
      "docker_gwbridge (a /26, 10.96.6.64/26) has 61 addresses, and each container on an overlay network takes one on its host: no host can run more of them. " +
        'Take a larger addressSpace, or set pins["docker_gwbridge"] to a free /24: it can be changed later only where a host has no container on it',
    ],
  },
  {
    when: "docker_gwbridge is small, and no container on an overlay network gets out by it",
    hosts: 2,
    args: { addressSpace: "10.96.0.0/20", networks: { web: { internal: true } } },
    warnings: [],
  },
  {
    when: "docker_gwbridge is pinned with room for many",
    hosts: 2,
    args: { addressSpace: "10.96.0.0/20", networks: { web: {} }, pins: { docker_gwbridge: "192.168.5.0/24" } },
    warnings: [],
  },
  { when: "a thousand hosts are on the ingress network where it lies by default", hosts: 1000, args: {}, warnings: [] },
  { when: "the swarm is as large as one that was shown", hosts: 4700, args: { addressSpace: "10.128.0.0/12" }, warnings: [] },
  {
    when: "the swarm is larger than any that was shown",
    hosts: 4701,
    args: { addressSpace: "10.128.0.0/12" },
    warnings: [
      "4701 hosts: the largest swarm that anybody has shown had 4700 (Swarm3K in 2016, Docker 1.12). Try this number where nothing depends on it first, or make several clusters",
    ],
  },
];

describe("a warning of size", () => {
  for (const { when, hosts, args, warnings } of cases) {
    it(`${warnings.length === 0 ? "is not given" : "is given"} where ${when}`, () => {
      const planned = planOf(hosts, args);
      assert.deepEqual(planned.problems, []);
      assert.deepEqual(planned.warnings, warnings);
    }).timeout(30_000);
  }

  it("is not given of networks in which hosts take no address", () => {
    for (const overlay of [weave(), flannel({ hostsPerGroup: 1024, etcd: {} })]) {
      const { warnings } = planOf(300, { overlay, networks: { web: {} } });
      assert.deepEqual(
        warnings.filter((line) => line.startsWith("network")),
        [],
      );
    }
  });

  it("becomes a problem where the hosts alone do not fit into the ingress network, which all are on", () => {
    assert.deepEqual(planOf(61, { addressSpace: "10.96.0.0/20" }).problems, []);
    assert.deepEqual(planOf(62, { addressSpace: "10.96.0.0/20" }).problems, [
      {
        path: "addressSpace",
        message: "the ingress network's part of it, 10.96.6.128/26, has 61 addresses, and Docker takes one on each of the 62 hosts",
        fix: 'take a /19 or larger, or set pins["ingress"] to a free /25 or larger',
      },
    ]);
    assert.deepEqual(planOf(1000, { pins: { ingress: "192.168.5.0/24" } }).problems, [
      {
        path: 'pins["ingress"]',
        message: "192.168.5.0/24 has 253 addresses, and Docker takes one on each of the 1000 hosts",
        fix: "pin a /21 or larger",
      },
    ]);
  });
});
