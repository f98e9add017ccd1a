import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  claim,
  disown,
  haves,
  ownedByOthers,
  type OwnedPart,
  type OwnerNames,
  ownersPart,
  refuseOthers,
  type SeenOwners,
} from "../../components/owner";
import { scriptInput } from "../../components/remote/script";

/** Runs the script itself, in a folder of the test's own. */
class Host {
  readonly folder = mkdtempSync(join(tmpdir(), "owner-"));
  readonly kept = join(this.folder, "etc");

  script<Result>(text: string, values: Readonly<Record<string, string>>, { verb }: { readonly verb?: string }): Promise<Result> {
    const input = scriptInput(text.replaceAll("/etc/pulumi-swarm", this.kept), verb ?? "", values);
    const { stdout, stderr, status } = spawnSync("sh", ["-s"], { input, encoding: "utf8" });
    assert.equal(status, 0, stderr);
    return Promise.resolve(JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Result);
  }
}

/** What the first look at a host sees of its owners. */
async function look(host: Host, parts: readonly OwnedPart[], owner: OwnerNames): Promise<SeenOwners> {
  const { functions, script, values } = ownersPart(parts, owner);
  const prints = functions.map((name) => `"${name}":'"$(${name})"'`).join(",");
  return host.script<SeenOwners>(`${script}\necho '{${prints}}'`, values, { verb: "probe" });
}

async function refuseOwned(host: Host, parts: readonly OwnedPart[], owner: OwnerNames): Promise<void> {
  refuseOthers((await look(host, parts, owner)).owners, owner);
}

describe("the owner of a host's firewall and tunnel", () => {
  let host: Host;
  beforeEach(() => (host = new Host()));
  afterEach(() => rmSync(host.folder, { recursive: true }));

  it("is whoever came first, also when it comes again", async () => {
    await claim(host, ["firewall"], ['HostFirewall "it\'s"']);
    await claim(host, ["firewall", "tunnel"], ['HostFirewall "it\'s"']);
    assert.deepEqual(await ownedByOthers(host, ["firewall", "tunnel"], ["SwarmCluster prod"]), ["firewall", "tunnel"]);
    assert.deepEqual(await ownedByOthers(host, ["firewall", "tunnel"], ['HostFirewall "it\'s"']), []);
  });

  it("has nothing to claim of what carries its present name, and has of what carries an older one or the beginning of it", async () => {
    const claimed = async (...owner: [string, ...string[]]): Promise<readonly string[]> => (await look(host, ["firewall", "tunnel"], owner)).claimed;
    assert.deepEqual(await claimed("now"), []);
    await claim(host, ["firewall"], ["now"]);
    assert.deepEqual(await claimed("now"), ["firewall"]);
    assert.deepEqual(await claimed("later", "now"), []);
    assert.deepEqual(await claimed("other"), []);
    writeFileSync(join(host.kept, "owner.tunnel"), '"no');
    assert.deepEqual(await claimed("now"), ["firewall"]);
    await claim(host, ["firewall", "tunnel"], ["now"]);
    assert.deepEqual(await claimed("now"), ["firewall", "tunnel"]);
  });

  it("is named to the next one, who takes nothing at all", async () => {
    await claim(host, ["firewall"], ["SwarmCluster prod"]);
    await assert.rejects(claim(host, ["tunnel", "firewall"], ["WireGuardMesh office"]), {
      message:
        "its firewall is kept by SwarmCluster prod, and WireGuardMesh office would undo that. Fix: take the host out of one of the two and run that " +
        `one's "pulumi up" first; where SwarmCluster prod is no more, remove /etc/pulumi-swarm/owner.firewall there`,
    });
    assert.deepEqual(readdirSync(host.kept), ["owner.firewall"]);
    await assert.rejects(refuseOwned(host, ["firewall"], ["WireGuardMesh office"]), /kept by SwarmCluster prod/);
  });

  it("that was only renamed is told to take its old name back: an alias renames nothing on the hosts", async () => {
    await claim(host, ["firewall"], ["SwarmCluster prod of shop, stack live"]);
    await assert.rejects(refuseOwned(host, ["firewall"], ["SwarmCluster main of shop, stack live"]), {
      message:
        "its firewall is kept by SwarmCluster prod of shop, stack live, and SwarmCluster main of shop, stack live would undo that. " +
        'Fix: if "prod" was renamed to "main", name it "prod" again: the hosts and the swarm know it by its name, and an alias renames only what Pulumi keeps. ' +
        'If they are two, take the host out of one of them, run "pulumi up", and then give it to the other',
    });
    for (const other of ["HostFirewall main of shop, stack live", "SwarmCluster main of shop, stack test"])
      await assert.rejects(refuseOwned(host, ["firewall"], [other]), /take the host out of one of the two/);
  });

  it("says whether it has a part, and what nobody has", async () => {
    await claim(host, ["overlay"], ["one"]);
    await claim(host, ["tunnel"], ["other"]);
    assert.deepEqual(await haves(host, ["overlay", "tunnel", "firewall"], ["now", "one"]), { overlay: true, tunnel: false, firewall: undefined });
  });

  it("leaves nothing behind, and takes away only what is its own", async () => {
    await claim(host, ["firewall"], ["one"]);
    await claim(host, ["tunnel"], ["other"]);
    await disown(host, ["firewall", "tunnel"], ["one"]);
    assert.deepEqual(readdirSync(host.kept), ["owner.tunnel"]);
    assert.equal(readFileSync(join(host.kept, "owner.tunnel"), "utf8"), '"other"\n');
    await disown(host, ["firewall", "tunnel"], ["other"]);
    assert.deepEqual(readdirSync(host.folder), []);
  });

  it("keeps what it had under a name of before, and writes its present one", async () => {
    await claim(host, ["firewall", "tunnel"], ["SwarmCluster prod"]);
    const renamed = ["SwarmCluster prod of shop, stack prod", "SwarmCluster prod", "SwarmCluster prod of shop, stack old"] as const;
    await assert.rejects(claim(host, ["firewall"], [renamed[0]]), /kept by SwarmCluster prod, and SwarmCluster prod of shop, stack prod would/);
    assert.deepEqual(await ownedByOthers(host, ["firewall"], [...renamed]), []);
    await claim(host, ["firewall"], [...renamed]);
    assert.equal(readFileSync(join(host.kept, "owner.firewall"), "utf8"), '"SwarmCluster prod of shop, stack prod"\n');
    await disown(host, ["firewall", "tunnel"], [...renamed]);
    assert.deepEqual(readdirSync(host.folder), []);
  });

  it("is nobody where nobody looked after the host, and looking changes nothing", async () => {
    await refuseOwned(host, ["firewall", "tunnel"], ["one"]);
    assert.deepEqual(readdirSync(host.folder), []);
  });
});
