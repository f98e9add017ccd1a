import { deepEqual, equal } from "node:assert/strict";
import { plaintext, sitesThatTakeTheQuorum, unprotected } from "../../components/review/risks";
import { quorumRisk } from "../../components/topology/quorum";
import type { EncryptionChannel } from "../../components/addresses/encryption";
import type { TopologyHost } from "../../components/topology/topology";

const host = (key: string, site: string, role: "manager" | "worker" = "manager"): TopologyHost => ({ key, site, role, provider: "existing" });
const channel = (channel: EncryptionChannel["channel"], protects: boolean, mechanism = protects ? "AES" : "none"): EncryptionChannel => ({
  channel,
  mechanism,
  keyHolder: "",
  rotation: "",
  protects,
});

describe("what counts as a risk", () => {
  it("takes plain data between sites for a risk, and not on one site nor where only neighbours see it", () => {
    const [one, two] = [[host("a", "x")], [host("a", "x"), host("b", "y")]];
    const plain = [channel("underlay", false), channel("overlay data", false)];
    deepEqual(
      plaintext({ hosts: two, encryption: plain }).map(({ channel }) => channel),
      ["overlay data"],
    );
    deepEqual(plaintext({ hosts: one, encryption: plain }), []);
    deepEqual(plaintext({ hosts: two, encryption: [channel("overlay data", false, "NaCl")] }), []);
  });

  it("sees each protection that is lost, but not of disks, of which it cannot know", () => {
    const channels = (protects: boolean): EncryptionChannel[] => [
      channel("overlay data", protects),
      channel("raft log", protects),
      channel("disks", protects),
    ];
    const [all, none] = [channels(true), channels(false)];
    deepEqual(
      unprotected(all, none).map(({ channel }) => channel),
      ["overlay data", "raft log"],
    );
    deepEqual(unprotected(none, all), []);
    deepEqual(unprotected(none, none), []);
  });

  it("counts the managers that may be away", () => {
    const least = [1, 2, 3, 4, 5, 7].map((managers) => [0, 1, 2, 3, 4].find((away) => quorumRisk(managers, away)));
    deepEqual(least, [1, 1, 2, 2, 3, 4]);
    equal(quorumRisk(0, 0), false);
  });

  it("finds the sites that a swarm cannot do without", () => {
    deepEqual(sitesThatTakeTheQuorum({ hosts: [host("a", "x"), host("b", "x"), host("c", "y")] }), ["x"]);
    deepEqual(sitesThatTakeTheQuorum({ hosts: [host("a", "x"), host("b", "y"), host("c", "z")] }), []);
    deepEqual(sitesThatTakeTheQuorum({ hosts: [host("a", "x")] }), []);
  });
});
