import assert from "node:assert/strict";
import { summaryOf } from "../../tools/demo/summary";
import { demo } from "./clusters-to-draw";

const files = { env: ".lab/demo/env", picture: "file:///home/ann/.lab/demo/picture.svg" };

describe("the demo's summary", () => {
  it("says in ten lines what was made, what is open, what is encrypted, and how to go on", () => {
    assert.deepEqual(summaryOf(demo(), files), [
      "You have a Docker Swarm of 3 machines: control-1, control-2 and control-3. Each is a container of this computer that behaves as a whole machine.",
      "All of them decide together what runs where (managers): 1 may fail, and the swarm can still be changed. Containers run on all.",
      'Containers meet on the networks "db" (no way out to the Internet) and "web": they find each other by name, whichever machines they run on.',
      "Open to the world: nothing. Open to this computer: icmp ping and 22/tcp ssh-control. Each machine turns everything else away.",
      "Encrypted: your commands, what managers say and what machines tell each other. Not encrypted: data between containers, the managers' records and disks; none of it leaves this computer.",
      "See it:     file:///home/ann/.lab/demo/picture.svg",
      "Use it:     . .lab/demo/env && docker node ls   (in this shell, then docker as ever)",
      "Keep it:    docker context create demo --docker host=$DOCKER_HOST   (in such a shell, once)",
      "Change it:  set workers in Pulumi.local.yaml, as Pulumi.local.example.yaml does; npm run demo then does only what differs",
      "Remove it:  npm run demo:down   (leaves no trace)",
    ]);
  });

  it("is true of other clusters too", () => {
    const { hosts, networks, rules, ...rest } = demo();
    const [first, second] = hosts;
    assert.ok(first && second);
    const world = rules.map((rule) => (rule.name === "ping" ? { ...rule, from: ["world"] } : rule));
    const lines = summaryOf(
      { ...rest, hosts: [first, { ...second, key: "edge-1", role: "worker" }], networks: networks.slice(0, 1), rules: world },
      files,
    );
    assert.match(lines[0] ?? "", /of 2 machines: control-1 and edge-1\./);
    assert.equal(
      lines[1],
      "One decides what runs where (the manager): where one fails, nothing can be changed until it is back. The other one only runs containers (a worker).",
    );
    assert.match(lines[2] ?? "", /^Containers meet on the network "db" \(/);
    assert.match(lines[3] ?? "", /^Open to the world: icmp ping\. Open to this computer: 22\/tcp ssh-control\./);
    const many = summaryOf(
      { ...rest, hosts: Array.from({ length: 9 }, (_, index) => ({ ...first, key: `control-${index + 1}` })), networks, rules },
      files,
    );
    assert.match(many[0] ?? "", /of 9 machines: control-1, control-2, control-3, control-4, control-5 and 4 more\./);
    assert.match(many[1] ?? "", /^All of them decide together .*: 4 may fail/);
    const bare = summaryOf({ ...rest, enforced: "none", hosts: [first], networks: [], rules: [] }, files);
    assert.ok(bare.length <= 10);
    assert.match(bare[0] ?? "", /of one machine: control-1\./);
    assert.match(bare[2] ?? "", /Open to this computer: nothing\. The machines themselves close nothing\.$/);
  });
});
