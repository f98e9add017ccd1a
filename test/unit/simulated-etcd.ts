import assert from "node:assert/strict";
import { EtcdRun } from "../../components/overlays/flannel/etcd/apply";
import type { EtcdHost, EtcdRequest } from "../../components/overlays/flannel/etcd/hosts";
import { type Certifier, certificatesOf } from "../../components/overlays/flannel/etcd/pki";
import type { ScriptValues } from "../../components/remote/script";

/** What they say is tested elsewhere; here it is enough that each host has those that it needs. */
const certifier: Certifier = {
  clients: "authority of clients",
  peers: "authority of peers",
  due: (holder, isMember, has) =>
    certificatesOf(holder, isMember)
      .filter(({ name, commonName }) => has[name] !== `certificate of ${commonName} at ${holder.address}`)
      .map((plan) => ({ plan, reason: "there is none" })),
  issue: ({ commonName, addresses }, key) => `certificate of ${commonName} at ${addresses[0] ?? key}`,
};

interface SimMember {
  readonly id: string;
  name: string;
  url: string;
  learner: boolean;
}

interface SimCluster {
  members: SimMember[];
  /** Ids that were members once: etcd never takes them back. */
  readonly removed: Set<string>;
  writes: number;
}

/** A machine: what is on it, and whether its etcd runs. */
export class SimMachine {
  data: { readonly cluster: SimCluster; readonly id: string } | undefined;
  running = false;
  formed = false;
  id = "";
  roster = "";
  settings = "";
  certificates: Record<string, string> = {};
  authority = "";

  constructor(
    readonly key: string,
    public address: string,
  ) {}
}

/** What the scripts of etcd and etcd itself do on hosts, as far as the plan can see it. After each verb a majority must be there, if one was. */
export class SimulatedEtcd {
  readonly machines = new Map<string, SimMachine>();
  readonly calls: string[] = [];
  readonly progress: string[] = [];
  /** Hosts on which a verb fails, and how. */
  readonly broken = new Map<string, string>();
  /** The run is over before this call. */
  cutBefore: number | undefined;
  /** No member reaches another. */
  apart = false;
  private made = 0;
  /** Clusters that had a majority; none of them may lose it, but by what the tests themselves do. */
  private readonly lost: string[] = [];
  private guarded: SimCluster[] = [];

  constructor(keys: readonly string[]) {
    for (const key of keys) this.add(key);
  }

  add(key: string, address = `10.0.0.${this.machines.size + 1}`): SimMachine {
    const machine = new SimMachine(key, address);
    this.machines.set(key, machine);
    return machine;
  }

  machine(key: string): SimMachine {
    const machine = this.machines.get(key);
    assert.ok(machine, `no machine ${key}`);
    return machine;
  }

  /** Another machine in its place. */
  replace(key: string, address = this.machine(key).address): void {
    this.machines.set(key, new SimMachine(key, address));
  }

  hasMajority(cluster: SimCluster): boolean {
    const voters = cluster.members.filter(({ learner }) => !learner);
    const alive = voters.filter((member) => this.isAlive(cluster, member));
    return !this.apart && alive.length > voters.length / 2;
  }

  /** The members of the cluster that decides, by name; those without a voice in brackets. */
  members(): string[] {
    const clusters = [...new Set([...this.machines.values()].flatMap(({ data }) => data?.cluster ?? []))].filter((cluster) =>
      this.hasMajority(cluster),
    );
    assert.equal(clusters.length, 1, `${clusters.length} clusters decide`);
    return (clusters[0]?.members ?? []).map(({ name, learner }) => (learner ? `(${name || "?"})` : name)).sort();
  }

  async up(wanted: readonly string[], options: Partial<EtcdRequest> & { readonly version?: string } = {}): Promise<EtcdRun> {
    this.calls.length = 0;
    const { version = "1", away = [], leaving = [], ...more } = options;
    const reached = [...this.machines.keys()].filter((key) => !away.includes(key));
    const run = new EtcdRun({
      members: wanted.map((key) => ({ key, address: this.machine(key).address })),
      hosts: reached.map((key): EtcdHost => ({
        key,
        address: this.machine(key).address,
        session: this.session(key),
        programs: `/programs/${version}`,
      })),
      leaving,
      away,
      certifier,
      io: { progress: (host, line) => void this.progress.push(`${host ?? "all"}: ${line}`) },
      ...more,
    });
    const deciding = [...new Set([...this.machines.values()].flatMap(({ data }) => data?.cluster ?? []))].filter((cluster) =>
      this.hasMajority(cluster),
    );
    this.guarded = deciding.length === 1 ? deciding : [];
    try {
      await run.up();
    } finally {
      assert.deepEqual(this.lost, []);
    }
    return run;
  }

  private session(key: string): EtcdHost["session"] {
    const script = async (_text: string, values: ScriptValues, { verb }: { verb: string }): Promise<unknown> => {
      this.calls.push(`${key} ${verb}`);
      const number = this.calls.length;
      await Promise.resolve();
      if (this.cutBefore !== undefined && number >= this.cutBefore) throw new Error(`${key}: the run was killed`);
      if (this.broken.get(key) === verb) throw new Error(`${key}: ${verb} failed`);
      const result = this.does(this.machine(key), verb, values);
      // An error here would be taken for one of the host's.
      if (this.guarded.some((cluster) => !this.hasMajority(cluster))) this.lost.push(`no majority after ${verb} on ${key}`);
      return result;
    };
    return { script: script as EtcdHost["session"]["script"] };
  }

  private does(host: SimMachine, verb: string, values: ScriptValues): unknown {
    const value = (name: string): string => values[name] ?? "";
    switch (verb) {
      case "look":
        return this.look(host, settingsText(values));
      case "request":
        return {
          keys: Object.fromEntries(
            value("CERTIFICATES")
              .split(" ")
              .map((name) => [name, host.address]),
          ),
        };
      case "certify":
        host.authority = value("CLIENTS_CA").trimEnd();
        for (const name of value("CERTIFICATES").split(" ")) host.certificates[name] = value(`${name.toUpperCase()}_PEM`);
        return {};
      case "form":
        assert.ok(!(host.formed && host.data && !host.data.cluster.removed.has(host.data.id)), "data of a cluster that stood would be overwritten");
        return this.form(host, values);
      case "join":
        return this.join(host, values);
      case "start":
        host.settings = settingsText(values);
        return this.start(host);
      case "wait":
        assert.ok(host.data && host.running, `${host.key} does not run`);
        if (!this.hasMajority(host.data.cluster)) throw new Error(`etcd has not come up within ${value("WAIT")} s`);
        host.id = host.data.id;
        host.formed = true;
        return { id: host.id };
      case "whole":
        host.roster = value("ROSTER");
        return {};
      case "recover":
        return this.recover(host, settingsText(values));
      case "leave":
        Object.assign(host, { data: undefined, running: false, id: "", roster: "", settings: "" });
        return {};
      default:
        return this.toCluster(host, verb, value);
    }
  }

  private look(host: SimMachine, settings: string): unknown {
    const { data, running } = host;
    const member = data?.cluster.members.find(({ id }) => id === data.id);
    return {
      data: data !== undefined && !data.cluster.removed.has(data.id),
      running,
      status:
        running && member && data
          ? ["https://127.0.0.1:2379", data.id, "3.5.16", "20 kB", "false", "false", "2", "8", String(data.cluster.writes), ""].join(", ")
          : "",
      id: host.id,
      formed: host.formed,
      roster: host.roster,
      current: settings === "" || host.settings === settings,
      authority: host.authority,
      certificates: host.certificates,
    };
  }

  private form(host: SimMachine, values: ScriptValues): unknown {
    const token = `${values["TOKEN"]} ${values["INITIAL"]}`;
    const others = [...this.machines.values()].flatMap(({ data }) => data?.cluster ?? []);
    let cluster = others.find((one) => clusterTokens.get(one) === token);
    if (cluster === undefined) {
      const members = (values["INITIAL"] ?? "").split(",").map((entry): SimMember => {
        const [name = "", url = ""] = entry.split("=");
        return { id: `m${++this.made}`, name, url, learner: false };
      });
      cluster = { members, removed: new Set(), writes: 1 };
      clusterTokens.set(cluster, token);
    }
    const member = cluster.members.find(({ name }) => name === host.key);
    assert.ok(member);
    host.data = { cluster, id: member.id };
    host.settings = settingsText(values);
    host.running = true;
    host.roster = (values["INITIAL"] ?? "")
      .split(",")
      .map((entry) => entry.replace(/=.*/, ""))
      .sort()
      .join(" ");
    return {};
  }

  private join(host: SimMachine, values: ScriptValues): unknown {
    const url = `https://${host.address}:2380`;
    const clusters = [...this.machines.values()].flatMap(({ data }) => data?.cluster ?? []);
    const cluster = clusters.find((one) => one.members.some((member) => member.url === url && member.learner) && this.hasMajority(one));
    assert.ok(cluster, `nobody was told of ${host.key}`);
    const member = cluster.members.find((one) => one.url === url);
    assert.ok(member);
    assert.match(values["INITIAL"] ?? "", new RegExp(`${host.key}=${url}`));
    member.name = host.key;
    host.data = { cluster, id: member.id };
    host.settings = settingsText(values);
    host.running = true;
    host.roster = (values["INITIAL"] ?? "")
      .split(",")
      .map((entry) => entry.replace(/=.*/, ""))
      .sort()
      .join(" ");
    return {};
  }

  private start(host: SimMachine): unknown {
    assert.ok(host.data, `${host.key} has no data to start with`);
    // One that was removed ends at once.
    host.running = !host.data.cluster.removed.has(host.data.id);
    return {};
  }

  private recover(host: SimMachine, settings: string): unknown {
    assert.ok(host.data);
    assert.ok(!this.hasMajority(host.data.cluster), "a cluster with a majority is not to be recovered");
    const { members, writes } = host.data.cluster;
    const own = members.find(({ id }) => id === host.data?.id);
    assert.ok(own);
    host.data = { cluster: { members: [{ ...own, learner: false }], removed: new Set(), writes }, id: own.id };
    Object.assign(host, { running: true, settings });
    return {};
  }

  private toCluster(host: SimMachine, verb: string, value: (name: string) => string): unknown {
    const { data } = host;
    const self = data?.cluster.members.find(({ id }) => id === data.id);
    if (!data || !self || !host.running || (!this.hasMajority(data.cluster) && verb !== "snapshot"))
      throw new Error(`${host.key}: etcd has no majority`);
    const { cluster } = data;
    switch (verb) {
      case "members":
        return {
          members: cluster.members
            .map(({ id, name, url, learner }) => [id, name ? "started" : "unstarted", name, url, "", String(learner)].join(", "))
            .join("\n"),
          alive: cluster.members
            .filter((member) => this.isAlive(cluster, member))
            .map(({ id }) => `https://x, ${id}, 3.5.16`)
            .join("\n"),
        };
      case "add": {
        const voters = cluster.members.filter(({ learner }) => !learner);
        if (cluster.members.some(({ learner }) => learner)) throw new Error("etcdserver: too many learner members in cluster");
        if (voters.some((member) => !this.isAlive(cluster, member))) throw new Error("etcdserver: unhealthy cluster");
        if (cluster.members.some(({ url }) => url === value("URL"))) throw new Error("etcdserver: Peer URLs already exists");
        const member = { id: `m${++this.made}`, name: "", url: value("URL"), learner: true };
        cluster.members.push(member);
        const initial = cluster.members.map((one) => `${one === member ? value("MEMBER") : one.name}=${one.url}`).join(",");
        return { id: member.id, initial };
      }
      case "promote": {
        const member = cluster.members.find(({ id }) => id === value("MEMBER"));
        assert.ok(member && this.isAlive(cluster, member), "only a learner that is in step gets a voice");
        member.learner = false;
        return {};
      }
      case "remove":
        cluster.members = cluster.members.filter(({ id }) => id !== value("MEMBER"));
        cluster.removed.add(value("MEMBER"));
        // It hears of it, and ends.
        for (const machine of this.machines.values()) if (machine.data?.id === value("MEMBER")) machine.running = false;
        return {};
      case "readdress": {
        const member = cluster.members.find(({ id }) => id === value("MEMBER"));
        assert.ok(member);
        member.url = value("URL");
        return {};
      }
      case "snapshot":
        return {};
      default:
        throw new Error(`unknown verb ${verb}`);
    }
  }

  private isAlive(cluster: SimCluster, member: SimMember): boolean {
    return [...this.machines.values()].some(({ data, running }) => running && data?.cluster === cluster && data.id === member.id);
  }
}

const clusterTokens = new WeakMap<SimCluster, string>();

function settingsText(values: ScriptValues): string {
  return values["NAME"] === "" ? "" : `${values["NAME"]} ${values["ADDRESS"]} ${values["FOLDER"]}`;
}
