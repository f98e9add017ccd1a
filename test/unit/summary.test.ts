import assert from "node:assert/strict";
import { planCluster } from "../../components/cluster/plan";
import { summarize } from "../../components/cluster/summary";
import * as existing from "../../components/hosts/existing";
import { native } from "../../components/overlays/native";
import { wireguard } from "../../components/underlay/wireguard";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";

describe("the summary of a plan", () => {
  it("says in a few lines who is where, what is open to whom, what is encrypted, and where networks are", () => {
    const { plan, problems } = planCluster({
      underlay: wireguard({ rotation: "2026-11" }),
      overlay: native({ encrypted: true }),
      firewall: { ssh: ["0.0.0.0/0"], expose: { https: { port: 443, from: ["world"], on: "workers" } } },
      swarm: { autolock: true },
      hosts: {
        control: existing.hosts({
          role: "manager",
          site: "cloud",
          agentSocket: "/run/agent",
          mtu: 1450,
          machines: { a: { address: "198.51.100.1", privateAddress: "10.5.0.1", hostKey } },
        }),
        rack: existing.hosts({
          role: "worker",
          site: "rack",
          agentSocket: "/run/agent",
          machines: { a: { address: "192.168.7.1", hostKey }, b: { address: "192.168.7.2", hostKey } },
        }),
      },
      networks: { web: { subnet: "10.99.1.0/24" } },
    });
    assert.deepEqual(problems, []);
    assert.equal(
      summarize("prod", plan),
      `Swarm cluster "prod"
  hosts      1 manager (control 1) in site "cloud"
             2 workers (rack 2) in site "rack"
  quorum     1 manager: tolerates no failure; while it is down the swarm is read-only and running services continue
  open       22/tcp on members from 0.0.0.0/0: ssh
             51820/udp on members from members at any address: wireguard
             icmp on members from members, 0.0.0.0/0: ping
             443/tcp on workers from world: https
             2377/tcp on managers from members in the tunnel: swarm-control
             7946/tcp on members from members in the tunnel: swarm-gossip-tcp
             7946/udp on members from members in the tunnel: swarm-gossip-udp
             4789/udp on members from members in the tunnel: overlay-data
             esp on members from members in the tunnel: overlay-data-esp
             nothing else
  encrypted  administration: SSH, host keys pinned
             underlay: WireGuard: ChaCha20-Poly1305
             swarm control: TLS, both sides with certificates of the swarm's own authority
             gossip: AES-GCM
             overlay data: IPsec ESP, AES-128-GCM
             raft log: NaCl secretbox, its key locked
             not protected: disks
  subnets    10.97.202.0/24     tunnel control
             10.97.205.0/24     tunnel rack
             10.97.128.0/20     docker0
             10.97.144.0/20     docker_gwbridge
             10.97.160.0/20     ingress
             10.96.0.0/16       docker pool
             10.99.1.0/24       network web (pinned)
  MTU        1312 for containers (1450 on the site's network, 1390 on wireguard)
  look at    overlay: the wireguard underlay encrypts already; encrypting again inside it costs throughput and protects nothing more
             SSH is open to everybody (firewall.ssh has 0.0.0.0/0): anyone who has a key gets in, and anybody may try.`,
    );
  });

  it("puts first what everybody can reach, and says what networks are together", () => {
    const open = (from: readonly string[]): string | undefined => {
      const { plan, problems } = planCluster({
        overlay: native(),
        firewall: { ssh: ["203.0.113.0/24"], expose: { web: { port: 443, from } } },
        hosts: { control: existing.hosts({ role: "manager", agentSocket: "/run/agent", machines: { a: { address: "192.168.7.1", hostKey } } }) },
      });
      assert.deepEqual(problems, []);
      return /open {7}(.*)/.exec(summarize("prod", plan))?.[1];
    };
    assert.equal(open(["0.0.0.0/1", "128.0.0.0/1"]), "443/tcp on members from 0.0.0.0/1, 128.0.0.0/1 (all of IPv4): web");
    assert.equal(open(["::/2", "4000::/2", "8000::/1"]), "443/tcp on members from ::/2, 4000::/2, 8000::/1 (all of IPv6): web");
    assert.equal(open(["0.0.0.0/1"]), "443/tcp on members from 0.0.0.0/1 (at least half of IPv4): web");
    assert.equal(open(["0.0.0.0/0"]), "443/tcp on members from 0.0.0.0/0: web", "that it is all of them can be seen");
    assert.equal(open(["10.0.0.0/8"]), "22/tcp on members from 203.0.113.0/24: ssh");
  });

  it("warns of SSH that is open to everybody, however it is written", () => {
    const warnings = (...ssh: string[]): readonly string[] =>
      planCluster({
        overlay: native(),
        firewall: { ssh },
        hosts: { control: existing.hosts({ role: "manager", agentSocket: "/run/agent", machines: { a: { address: "192.168.7.1", hostKey } } }) },
      }).plan.warnings.filter((line) => line.startsWith("SSH"));
    const advice = "anyone who has a key gets in, and anybody may try.";
    assert.deepEqual(warnings("0.0.0.0/0"), [`SSH is open to everybody (firewall.ssh has 0.0.0.0/0): ${advice}`]);
    assert.deepEqual(warnings("128.0.0.0/1", "0.0.0.0/1", "10.0.0.0/8"), [
      `SSH is open to everybody (firewall.ssh has 128.0.0.0/1 and 0.0.0.0/1): ${advice}`,
    ]);
    assert.deepEqual(warnings("0.0.0.0/1"), [`SSH is open to at least half of the Internet (firewall.ssh has 0.0.0.0/1): ${advice}`]);
    assert.deepEqual(warnings("203.0.113.0/24"), []);
  });
});
