import assert from "node:assert/strict";
import { managersFirst } from "../../components/agents/phases/engines";
import type { Looked } from "../../components/agents/phases/look";
import { freePorts, type Holder } from "../../components/gossip/ports";
import { gossipLimit, packetsToSend, type ProofArgs, proveMembers, type ProvenHost } from "../../components/gossip/prove";
import { DockerApiError } from "../../components/remote/docker-api";

/** One member as `docker network inspect`, `ss` and `ping` show it. */
class Engine implements Pick<ProvenHost, "docker" | "session"> {
  /** Where another program has a port, or the engine a listener of before, the agent does not start. */
  holders: Holder[] = [];
  agent = true;
  /** Whether the managers attached the node to the ingress network. */
  attached = true;
  /** Addresses from which no packet comes back. */
  lost: string[] = [];
  unheard: string[] = [];
  scripts: string[] = [];

  constructor(
    readonly place: number,
    private readonly swarm: Swarm,
  ) {}

  get address(): string {
    return `10.0.0.${this.place}`;
  }

  readonly docker = {
    get: async <Result>(path: string): Promise<Result> => {
      const network = { Id: "i1", Ingress: true, Scope: "swarm" };
      if (path === "/networks") return (this.place === 1 && this.swarm.ingress ? [network] : []) as Result;
      if (!this.agent || !this.attached) throw new DockerApiError(`host-${this.place}`, 404, "network i1 not found", `GET ${path}`);
      const peers = this.swarm.engines.filter(({ agent, address }) => agent && !this.unheard.includes(address));
      return {
        ...network,
        Containers: { "ingress-sbox": { IPv4Address: `10.77.0.${this.place}/24` } },
        Peers: peers.map(({ address }) => ({ IP: address })),
      } as Result;
    },
  };

  readonly session = {
    script: async <Result>(_text: string, values: Readonly<Record<string, string>>, { verb }: { verb: string }): Promise<Result> => {
      this.scripts.push(verb);
      if (verb === "ports") return { holders: this.holders } as Result;
      if (verb === "restart") return (this.restart(), {}) as Result;
      return { tried: true, silent: (values["PEERS"] ?? "").split("\n").filter((peer) => this.lost.includes(peer)) } as Result;
    },
  };

  restart(): void {
    this.holders = this.holders.filter(({ program }) => program !== "dockerd");
    this.agent = this.holders.length === 0;
  }
}

class Swarm {
  readonly engines: Engine[];
  ingress = true;
  readonly said: string[] = [];
  /** What was waited for, and what was seen last. */
  readonly waits: Record<string, string> = {};
  asked = 0;
  private time = 0;

  constructor(count: number) {
    this.engines = Array.from({ length: count }, (_, index) => new Engine(index + 1, this));
  }

  engine(place: number): Engine {
    const engine = this.engines[place - 1];
    assert.ok(engine);
    return engine;
  }

  async prove(args: Partial<ProofArgs> = {}): Promise<Record<string, string>> {
    const failures = await proveMembers(
      this.engines.map((engine) => ({ key: `host-${engine.place}`, address: engine.address, docker: engine.docker, session: engine.session })),
      { dataPathPort: 4789, packets: true, ...args },
      {
        progress: (host, line) => this.said.push(`${host ?? ""}: ${line}`),
        waiting: (_host, what) => ({ seen: (detail) => (this.waits[what] = detail), end: () => {} }),
        sleep: async (milliseconds) => void (this.time += milliseconds),
        now: () => this.time,
        attach: async () => {
          this.asked++;
          for (const engine of this.engines) engine.attached = true;
        },
        restart: async (key) => this.engines.find(({ place }) => `host-${place}` === key)?.restart(),
      },
    );
    assert.ok(this.time <= 160_000, "bounded");
    return Object.fromEntries(failures.map(({ host, reason }) => [host, reason]));
  }
}

const perl: Holder = { protocol: "tcp", port: 7946, program: "perl", pid: 193 };
const leaked: Holder = { protocol: "tcp", port: 7946, program: "dockerd", pid: 88 };

describe("the proof that members gossip and carry packets", () => {
  it("is silent, and restarts nothing, where all do", async () => {
    const swarm = new Swarm(4);
    assert.deepEqual(await swarm.prove(), {});
    assert.deepEqual([swarm.said, swarm.waits], [[], {}]);
    assert.deepEqual([...new Set(swarm.engines.flatMap(({ scripts }) => scripts))], ["ping"]);
  });

  it("has nodes attached that the managers forgot when the ingress network was made anew, and restarts no engine for it", async () => {
    const swarm = new Swarm(3);
    for (const engine of swarm.engines) engine.attached = false;
    assert.deepEqual(await swarm.prove(), {});
    assert.equal(swarm.asked, 1);
    assert.deepEqual(swarm.said, [": asking the managers once more for the ingress network on host-1, host-2, host-3"]);
  });

  it("names the program that has a port of the agent, and leaves that host's engine alone", async () => {
    const swarm = new Swarm(3);
    Object.assign(swarm.engine(2), { agent: false, holders: [perl] });
    const failures = await swarm.prove();
    assert.deepEqual(Object.keys(failures), ["host-2"]);
    assert.match(
      failures["host-2"] ?? "",
      /^port 7946\/tcp is taken by perl \(process 193\), and Docker needs it: .*Fix: stop that program or give it another port/,
    );
    assert.deepEqual(swarm.waits, { "the ingress network": "host-2" });
  });

  it("restarts an engine that kept the listener of an earlier swarm, says so, and is content when it gossips then", async () => {
    const swarm = new Swarm(3);
    Object.assign(swarm.engine(3), { agent: false, holders: [leaked] });
    assert.deepEqual(await swarm.prove(), {});
    assert.deepEqual(swarm.said.slice(1), ["host-3: is a member of the swarm, but its network agent did not start: restarting Docker"]);
  });

  it("says when a restart did not help", async () => {
    const swarm = new Swarm(3);
    Object.assign(swarm.engine(3), { agent: false, restart: () => undefined });
    assert.match(
      (await swarm.prove())["host-3"] ?? "",
      /its network agent does not run, also after a restart of Docker: Look at "journalctl -u docker"/,
    );
  });

  it("is asked of a swarm of one host, too: its agent runs, or the program that has its port is named", async () => {
    const swarm = new Swarm(1);
    assert.deepEqual([await swarm.prove(), swarm.engine(1).scripts], [{}, []]);
    Object.assign(swarm.engine(1), { agent: false, holders: [perl] });
    assert.match((await swarm.prove())["host-1"] ?? "", /^port 7946\/tcp is taken by perl \(process 193\)/);
    Object.assign(swarm.engine(1), { holders: [leaked] });
    assert.deepEqual(await swarm.prove(), {});
  });

  it("names the hosts between which gossip or packets do not pass", async () => {
    const swarm = new Swarm(3);
    swarm.engine(1).unheard.push("10.0.0.3");
    swarm.engine(2).lost.push("10.77.0.3");
    const failures = await swarm.prove({ dataPathPort: 4790 });
    assert.deepEqual(swarm.waits, { "all hosts to gossip with each other": "host-1 not yet with host-3" });
    assert.match(failures["host-1"] ?? "", /its gossip does not know host-3 after 90 s, .*7946\/tcp and 7946\/udp/);
    assert.match(failures["host-2"] ?? "", /no packet of the overlay comes back from host-3, .*does 4790\/udp pass/);
    assert.deepEqual(Object.keys(failures), ["host-1", "host-2"]);
  });

  it("sends no packet where another overlay carries the data, and asks for nothing in a swarm without ingress network", async () => {
    const swarm = new Swarm(3);
    swarm.engine(2).lost.push("10.77.0.3");
    assert.deepEqual(await swarm.prove({ packets: false }), {});
    Object.assign(swarm, { ingress: false });
    swarm.engine(2).agent = false;
    assert.deepEqual(await swarm.prove(), {});
  });

  it("sends from each host to all others up to a dozen, and to three of a thousand, so that each gets as many", () => {
    assert.ok(packetsToSend([1, 2, 3]).every(({ from, to }) => to.length === 2 && !to.includes(from)));
    const many = packetsToSend(Array.from({ length: 1000 }, (_, index) => index));
    const arriving = many.flatMap(({ to }) => to);
    assert.equal(arriving.length, 3000);
    for (const host of [0, 500, 999]) assert.equal(arriving.filter((to) => to === host).length, 3);
  });
});

describe("the time in which members must know each other", () => {
  it("is longer where they are many, as Docker's gossip then exchanges who is there less often", () => {
    const minutes = [3, 32, 33, 64, 65, 100, 1000].map((members) => gossipLimit(members) / 60_000);
    assert.deepEqual(minutes, [1.5, 1.5, 3, 3, 4.5, 4.5, 9]);
  });
});

describe("the ports of a host before it joins a swarm", () => {
  async function free(engine: Engine): Promise<string[]> {
    const said: string[] = [];
    await freePorts(engine.session, 4789, (line) => said.push(line));
    return said;
  }

  it("are left alone where nobody has them", async () => {
    const engine = new Engine(1, new Swarm(1));
    assert.deepEqual([await free(engine), engine.scripts], [[], ["ports"]]);
  });

  it("are released by a restart where the engine kept one of an earlier swarm, which is said", async () => {
    const engine = new Engine(1, new Swarm(1));
    engine.holders = [leaked];
    assert.deepEqual(await free(engine), ["is in no swarm, and Docker still holds port 7946 of an earlier one: restarting Docker before it joins"]);
    assert.deepEqual([await free(engine), engine.scripts], [[], ["ports", "restart", "ports"]]);
  });

  it("are a failure of that host where another program has one", async () => {
    const engine = new Engine(1, new Swarm(1));
    engine.holders = [leaked, { protocol: "udp", port: 4789, program: "vtepd", pid: 7 }];
    await assert.rejects(free(engine), /^Error: port 4789\/udp is taken by vtepd \(process 7\)/);
    assert.deepEqual(engine.scripts, ["ports"]);
  });
});

describe("engines that restart for new settings", () => {
  it("are the managers' first: a worker that starts after its only manager meets it at once, and one that started before after a minute", () => {
    const hosts = ["worker", "manager", "worker", "manager"].map((role, place) => ({ key: `${role}-${place}`, host: { role } }));
    assert.deepEqual(
      managersFirst(hosts as unknown as readonly Looked[]).map(({ key }) => key),
      ["manager-1", "manager-3", "worker-0", "worker-2"],
    );
  });
});
