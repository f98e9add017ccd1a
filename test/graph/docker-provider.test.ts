import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as docker from "@pulumi/docker";
import { type DockerProviderArgs, SwarmCluster } from "../../components";
import * as existing from "../../components/hosts/existing";
import * as local from "../../components/hosts/local";
import { type Graph, readable, record, type RecordOptions, unknown } from "./harness";
import { deriveSshKey } from "../../components/remote/ssh-key";
import { clientKey, partOfClientKey } from "../unit/client-key";

const hopKey = deriveSshKey("a key of the tests", "bastion").privateKey;

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI";

function rack(more: object): existing.ExistingHostsArgs {
  return { role: "manager", user: "ops", port: 2222, machines: { a: { address: "192.0.2.10", hostKey } }, ...more };
}

/** A cluster with a service on it, as a user's program has it. */
function withService(args: DockerProviderArgs, access: object = { privateKey: clientKey }, options: RecordOptions = {}): Promise<Graph> {
  return record(() => {
    const worker = existing.hosts({ ...rack(access), role: "worker", machines: { b: { address: "192.0.2.11", hostKey } } });
    const swarm = new SwarmCluster("prod", {
      hosts: { rack: existing.hosts(rack(access)), edge: worker },
      firewall: { ssh: ["198.51.100.0/24"] },
      networks: { web: {} },
    });
    const provider = swarm.dockerProvider(args);
    assert.equal(swarm.dockerProvider(args), provider, "the same one, however often it is asked for");
    new docker.Service("web", { taskSpec: { containerSpec: { image: "nginx" } } }, { provider });
  }, options);
}

function providerOf({ resources }: Graph): Graph["resources"][number] | undefined {
  return resources.find(({ type }) => type === "pulumi:providers:docker");
}

describe("a provider for services on the cluster", function () {
  this.timeout(30_000);
  let folder = "";
  const agent = process.env["SSH_AUTH_SOCK"];
  before(() => (folder = mkdtempSync(join(tmpdir(), "docker-provider-"))));
  after(() => rmSync(folder, { recursive: true }));
  afterEach(() => {
    delete process.env["SSH_AUTH_SOCK"];
    if (agent !== undefined) process.env["SSH_AUTH_SOCK"] = agent;
  });

  it("works through the first manager with its key pinned, once the swarm and its networks are there", async () => {
    const graph = await withService({ keyFile: "~/.ssh/rack" });
    assert.equal(graph.error, undefined);
    const provider = providerOf(graph);
    assert.equal(provider?.inputs["host"], "ssh://ops@192.0.2.10:2222");
    assert.match(String(provider?.inputs["sshOpts"]), /KnownHostsCommand=\/bin\/echo %H ssh-ed25519 AAAAC3NzaC1l/);
    assert.match(String(provider?.inputs["sshOpts"]), /IdentityFile=~\/\.ssh\/rack/);
    assert.deepEqual(provider?.dependsOn, ["prod-swarm (command:local:Command)", "prod-web (command:local:Command)"]);
    assert.ok(readable(provider?.inputs).every((text) => !text.includes(partOfClientKey)));
    assert.equal(graph.resources.find(({ type }) => type === "docker:index/service:Service")?.provider, "prod-docker-rack-a");
  });

  it("is not told its host before the swarm was made, so that the first preview asks no Docker that may not be there yet", async () => {
    const graph = await withService({ keyFile: "k" }, undefined, { preview: true });
    assert.equal(graph.error, undefined);
    assert.equal(providerOf(graph)?.inputs["host"], unknown);
    assert.equal(
      (await withService({ keyFile: "k" })).resources.find(({ type }) => type === "pulumi:providers:docker")?.inputs["host"],
      "ssh://ops@192.0.2.10:2222",
    );
  });

  it("has the arguments that the program says last", async () => {
    const graph = await withService({ keyFile: "k", transform: { host: "ssh://elsewhere" } });
    assert.equal(providerOf(graph)?.inputs["host"], "ssh://elsewhere");
  });

  it("writes the key only where it is told to, for its owner alone, also over one that everybody could read", async () => {
    const file = join(folder, "keys", "swarm");
    assert.equal((await withService({ writeKeyTo: file })).error, undefined);
    assert.equal(readFileSync(file, "utf8"), clientKey);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const open = join(folder, "open");
    writeFileSync(open, "another", { mode: 0o644 });
    await withService({ writeKeyTo: open }, { privateKey: clientKey, bastion: { address: "192.0.2.1", hostKey, privateKey: hopKey } });
    assert.equal(statSync(open).mode & 0o777, 0o600);
    assert.equal(readFileSync(`${open}.bastion`, "utf8"), hopKey);
  });

  it("asks the agent of the host's group", async () => {
    const graph = await withService({}, { agentSocket: "/run/group-agent" });
    assert.match(String(providerOf(graph)?.inputs["sshOpts"]), /IdentityAgent=\/run\/group-agent/);
  });

  it("asks the user's own agent where the group has none", async () => {
    process.env["SSH_AUTH_SOCK"] = "/run/own-agent";
    assert.match(String(providerOf(await withService({}))?.inputs["sshOpts"]), /IdentityFile=none/);
  });

  const refused = async (args: DockerProviderArgs): Promise<string> => String(((await withService(args)).error as Error | undefined)?.message);

  it("is refused for a host that is no manager, and for two ways to log in", async () => {
    assert.equal(
      await refused({ host: "edge-b" }),
      'There can be no Docker provider for the swarm cluster "prod": "edge-b" is no manager, and only managers make services. Fix: name one of rack-a, or leave host out.',
    );
    assert.match(await refused({ keyFile: "k", writeKeyTo: "k" }), /keyFile and writeKeyTo are both given\. Fix: keep keyFile/);
  });

  it("is refused before anything is made where the key is in Pulumi's state only", async () => {
    const { error } = await record(() => new SwarmCluster("lab", { hosts: { control: local.hosts({ role: "manager" }) } }).dockerProvider());
    assert.match(
      (error as Error).message,
      /the key of control-1 is in Pulumi's state only, and ssh cannot read it there\. Fix: let it be written: dockerProvider\(\{ writeKeyTo/,
    );
  });
});
