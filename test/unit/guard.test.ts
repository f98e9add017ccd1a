import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { planCluster, wireguard } from "../../components";
import { describeMoved, moved, refuseProtected, refuseRemade, remade } from "../../components/cluster/guard";
import { madeAs } from "../../components/hosts/cloud/made";
import { refusedMoves } from "../../components/review/addresses";
import { refusedReplacements } from "../../components/review/hosts";
import * as existing from "../../components/hosts/existing";
import { clientKey } from "./client-key";

const managers = (count: number, image = "a"): Record<string, Record<string, string>> =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`control-${index + 1}`, { image, zone: "z" }]));

describe("managers that would be other machines", () => {
  it("are those of which something differs that is known now and was known before", () => {
    const was = { "control-1": { image: "a" }, "control-2": { image: "a", zone: "z" }, "control-3": { image: "a" } };
    const will = { "control-1": { image: "b" }, "control-2": { image: "a" }, "control-3": { image: "a", zone: "y" }, "control-4": { image: "b" } };
    assert.deepEqual(remade(was, will), [{ host: "control-1", by: ["image"] }]);
  });

  it("are told by the arguments of their machines, also by what lies within one", () => {
    const asked = { ami: "ami-1", rootBlockDevice: { kmsKeyId: "arn", encrypted: true }, tags: {} };
    const made = { ami: "ami-1", "rootBlockDevice.kmsKeyId": "arn", keyName: undefined };
    assert.deepEqual(madeAs(asked, ["ami", "rootBlockDevice.kmsKeyId", "keyName"], {}), made);
  });

  it("are told by the text by which they are made anew, not by what they were born with until then", () => {
    const [renewed, image, diskKey] = [pulumi.output("1"), pulumi.output("debian"), pulumi.output("arn")];
    const asked = { image, location: "fsn1", diskKey };
    const paths = ["image", "location", "diskKey"];
    assert.deepEqual(madeAs(asked, paths, { image, renewed }), { location: "fsn1", diskKey, renew: renewed });
    assert.deepEqual(madeAs(asked, paths, { image, renewed, text: "2" }), { location: "fsn1", renew: "2" }, "what waits for leave says nothing");
    assert.deepEqual(madeAs({ ...asked, image: "mine" }, paths, { image, renewed, text: "2" }), { image: "mine", location: "fsn1", renew: "2" });
  });

  it("may be as many as may fail", () => {
    const five = { ...managers(5), "control-1": { image: "b", zone: "z" }, "control-2": { image: "b", zone: "z" } };
    assert.equal(refuseRemade("prod", managers(5), five, []), undefined);
    const three = { ...managers(3), "control-1": { image: "b", zone: "z" } };
    assert.equal(refuseRemade("prod", managers(3), three, []), undefined);
  });

  it("are refused with their names, what differs, and the order to take, where they are more", () => {
    const refusal = refuseRemade(
      "prod",
      managers(3),
      { ...managers(3), "control-1": { image: "b", zone: "z" }, "control-3": { image: "a", zone: "y" } },
      [],
    );
    assert.equal(
      refusal,
      'The swarm cluster "prod" would replace the machines of control-1, control-3 in one run, since image, zone changes: ' +
        "of 3 managers 1 tolerates to be away, and with 2 the swarm loses its quorum. What an earlier `up` left unfinished counts too. Nothing was changed. " +
        "Fix: make the change for one manager at a time, in the order control-1, control-3, and run `up` until it succeeds before the next. " +
        'If the swarm may be lost, set membership.replaceManagers: ["control-1","control-3"].',
    );
  });

  it("are refused where there is only one, with the way that keeps the swarm", () => {
    assert.match(
      refuseRemade("prod", managers(1), managers(1, "b"), []) ?? "",
      /control-1 is the only manager.* Fix: add two managers, run `up`, and then/,
    );
  });

  it("are counted among all managers, also those whose machines no `up` makes", () => {
    const hybrid = { "aws-1": { renew: "a" }, "hetzner-1": { renew: "a" }, "own-a": {} };
    assert.equal(refuseRemade("prod", hybrid, { ...hybrid, "aws-1": { renew: "b" } }, []), undefined);
    const two = { "aws-1": { renew: "a" }, "own-a": {} };
    const refusal = refuseRemade("prod", two, { ...two, "aws-1": { renew: "b" } }, []) ?? "";
    assert.match(refusal, /of 2 managers 0 tolerate to be away, .* Fix: add a manager, run `up`, and then make the change\. If/);
  });

  it("may be as many as are allowed by name, and no others", () => {
    assert.equal(refuseRemade("prod", managers(3), managers(3, "b"), ["control-1", "control-2", "control-3"]), undefined);
    assert.match(refuseRemade("prod", managers(3), managers(3, "b"), ["control-1", "control-2"]) ?? "", /control-1, control-2, control-3/);
  });

  it("are none where nothing is remembered, as after an upgrade from version 0.1.0", () => {
    assert.equal(refuseRemade("prod", {}, managers(3, "b"), []), undefined);
  });
});

describe("a protected machine", () => {
  const was = { "edge-1": { renew: "a", image: "x" }, "edge-2": { renew: "a" } };

  it("stays, whatever becomes of others", () => {
    assert.equal(refuseProtected("prod", was, { "edge-1": {}, "edge-2": { renew: "a" }, "edge-3": { renew: "b" } }), undefined);
    assert.equal(refuseProtected("prod", {}, { "edge-3": { renew: "b" } }), undefined);
  });

  it("is neither removed nor replaced before its protection was taken off", () => {
    assert.equal(
      refuseProtected("prod", was, { "edge-2": { renew: "b" } }),
      'The swarm cluster "prod" would remove edge-1 and replace the machine of edge-2, but the provider refuses to delete a protected machine, and only an update of its own takes the protection off. ' +
        "Nothing was changed. Fix: keep the hosts as they were with protect: false in their group, run `up` until it succeeds, and then make this change.",
    );
  });
});

describe("a member whose machine stays", () => {
  const was = { "control-a": { machine: "m1", address: "tunnel 10.97.1.7" }, "control-b": { machine: "m2", address: "tunnel 10.97.1.8" } };

  it("keeps its address, whatever it is called", () => {
    const will = { "ctl-a": { machine: "m1", address: "tunnel 10.97.9.2" }, "control-b": { machine: "m2", address: "tunnel 10.97.1.8" } };
    assert.deepEqual(moved(was, will, new Set()), [{ host: "ctl-a", called: "control-a", was: "tunnel 10.97.1.7", would: "tunnel 10.97.9.2" }]);
    assert.deepEqual(moved(was, will, new Set(["ctl-a"])), [], "unless it may move");
  });

  it("is no longer the same where the machine is another one, or is not known yet", () => {
    assert.deepEqual(
      moved(was, { "control-a": { machine: "m9", address: "tunnel 10.97.9.2" }, "control-b": { address: "tunnel 10.97.9.3" } }, new Set()),
      [],
    );
  });

  it("is told by where it is reached, where machines were copied with their host keys", () => {
    const copies = {
      "control-a": { machine: "m1", at: "192.0.2.1", address: "tunnel 10.97.1.7" },
      "control-b": { machine: "m1", at: "192.0.2.2", address: "tunnel 10.97.1.8" },
    };
    const will = {
      "ctl-b": { machine: "m1", at: "192.0.2.2", address: "tunnel 10.97.9.2" },
      "ctl-c": { machine: "m1", at: "192.0.2.3", address: "tunnel 10.97.9.3" },
    };
    assert.deepEqual(
      moved(copies, will, new Set()).map(({ host, called }) => [host, called]),
      [["ctl-b", "control-b"]],
    );
  });

  it("is refused with the pin that keeps it, or with the address to give where it is the host's own", () => {
    const moves = [
      { host: "ctl-a", called: "control-a", was: "tunnel 10.97.1.7", would: "tunnel 10.97.9.2" },
      { host: "rack-b", called: "rack-b", was: "site 192.0.2.1", would: "site 192.0.2.9" },
    ];
    assert.equal(
      describeMoved("prod", moves),
      [
        'The swarm cluster "prod" would give 2 members of the swarm another address, and Docker cannot do that while a host is a member. Nothing was changed.',
        '  - ctl-a, which was control-a: from 10.97.1.7 to 10.97.9.2. Fix: keep it with pins["tunnel host ctl-a"]: "10.97.1.7/32".',
        "  - rack-b: from 192.0.2.1 to 192.0.2.9. Fix: give it the address 192.0.2.1.",
        "To move a host anyway, remove it from the program, run `up`, and add it again.",
      ].join("\n"),
    );
  });
});

describe("the pin of a single host", () => {
  const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAfGPyNWtYyFgxwFK5uRvVYL3jMrRjMIDTNtCyCtoCz9";
  const machines = { a: { address: "192.0.2.1", hostKey }, b: { address: "192.0.2.2", hostKey }, 3: { address: "192.0.2.3", hostKey } };
  const planned = (group: string, pins: Record<string, string> = {}): { problems: string[]; tunnel: Record<string, string | undefined> } => {
    const { plan, problems } = planCluster({
      hosts: { [group]: existing.hosts({ role: "manager", privateKey: clientKey, machines }) },
      underlay: wireguard(),
      firewall: { ssh: ["203.0.113.0/24"] },
      pins,
    });
    const tunnel = Object.fromEntries(plan.hosts.map(({ place, tunnelAddress }) => [place, tunnelAddress]));
    return { problems: problems.map(({ path, message, fix }) => `${path}: ${message}. Fix: ${fix}.`), tunnel };
  };
  const before = planned("control").tunnel;

  it("keeps its address in the tunnel under another name, whichever block that lies in", () => {
    assert.notDeepEqual(planned("ctl").tunnel, before);
    const pins = Object.fromEntries(Object.entries(before).map(([place, address]) => [`tunnel host ctl-${place}`, `${address}/32`]));
    assert.deepEqual(planned("ctl", pins), { problems: [], tunnel: before });
  });

  it("leaves the others where they are", () => {
    const { problems, tunnel } = planned("control", { "tunnel host control-a": "10.97.247.1/32" });
    assert.deepEqual({ problems, tunnel }, { problems: [], tunnel: { ...before, a: "10.97.247.1" } });
  });

  it("is refused outside of the tunnel's space, twice in one place, in the place of another host, and for nobody", () => {
    const own = planned("control").tunnel[3] ?? "";
    const wrong = (pins: Record<string, string>): string => planned("control", pins).problems.join("\n");
    assert.match(
      wrong({ "tunnel host control-a": "10.1.2.3/32" }),
      /^pins\["tunnel host control-a"\]: 10\.1\.2\.3\/32 is not in 10\.97\..*, the part of the address space/,
    );
    const twice = { "tunnel host control-a": "10.97.247.1/32", "tunnel host control-b": "10.97.247.1/32" };
    assert.match(wrong(twice), /pinned for control-[ab] too\. Fix: give each host one of its own/);
    assert.match(wrong({ "tunnel host control-a": `${own}/32` }), new RegExp(`${own.replaceAll(".", "\\.")}/32 is the piece of control-3`));
    assert.match(wrong({ "tunnel host nobody": "10.97.247.1/32" }), /nothing of this name has an address/);
  });
});

describe("a review of a preview that was refused", () => {
  it("tells the managers that would be other machines as a risk to the quorum", () => {
    const message = refuseRemade("prod", managers(3), managers(3, "b"), []) ?? "";
    const [found, ...others] = refusedReplacements([message]);
    assert.deepEqual([found?.risk, found?.subject, others], ["quorum-loss", "control-1, control-2, control-3", []]);
  });

  it("tells members whose address would move as renumbered, with the pin", () => {
    const moves = [{ host: "ctl-a", called: "control-a", was: "tunnel 10.97.1.7", would: "tunnel 10.97.9.2" }];
    const found = refusedMoves([describeMoved("prod", moves)]);
    assert.deepEqual(
      found.map(({ risk, subject }) => [risk, subject]),
      [["renumber", "ctl-a, which was control-a"]],
    );
  });
});
