import assert from "node:assert/strict";
import { dispatch } from "../../components/cli/dispatch";
import { targetOfConnections } from "../../components/status/source/connections";
import { askedIn, targetsIn } from "../../components/status/source/state";
import { NoTarget } from "../../components/status/source/target";

const mark = "4dabf18193072939515e22adb298388d";
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGu0zxEbcsL1uY8xMpDPBPmzHh1ZC5hMYvlBs3PbYWcl";
const connection = { host: "192.0.2.1", privateKey: "key", hostKey };
const request = { cluster: "main", hosts: [{ key: "control-1", connection }], underlayMtu: 1500 };

const secret = (value: object): object => ({ [mark]: "1b47061264138c4ac30d75fd1eb44270", plaintext: JSON.stringify(JSON.stringify(value)) });
const command = (create: string, stdin: unknown, more: object = {}): object => ({
  urn: `urn:pulumi:prod::shop::command:local:Command::${create}`,
  type: "command:local:Command",
  inputs: { create, stdin, ...more },
});
const state = (...resources: object[]): string => JSON.stringify({ version: 3, deployment: { resources } });
const agents = "node_modules/pulumi-swarm/dist/components/agents";

describe("where status learns how to reach the hosts", () => {
  it("reads what the last up asked, and the networks of the same cluster, from a state with its secrets", () => {
    const [target, ...others] = targetsIn(
      state(
        command(`${agents}/swarm-up.js`, secret(request)),
        command(`${agents}/network-up.js`, secret({ cluster: "main", name: "web", spec: { subnet: "10.97.0.0/24" } }), {
          delete: `${agents}/network-down.js`,
        }),
        command(`${agents}/network-up.js`, secret({ cluster: "other", name: "db", spec: { subnet: "10.98.0.0/24" } })),
        { urn: "urn:x", type: "aws:ec2/instance:Instance", inputs: {} },
      ),
      "the stack prod",
    );
    assert.deepEqual(others, []);
    assert.deepEqual(target, {
      cluster: "main",
      by: "the stack prod",
      hosts: [{ key: "control-1", connection }],
      request,
      networks: [{ name: "web", subnet: "10.97.0.0/24" }],
    });
  });

  it("finds the programs of version 0.1.0, and on Windows", () => {
    for (const folder of ["../../pulumi-swarm/dist/components/agents/", "node_modules\\pulumi-swarm\\dist\\components\\agents\\"])
      assert.equal(targetsIn(state(command(`${folder}swarm-up.js`, secret(request))), "")[0]?.cluster, "main");
  });

  it("knows the hosts of a cluster whose first up failed by what was about to be asked", () => {
    const begun = command(`${agents}/intent.js`, secret({ cluster: "main", hosts: request.hosts, holders: [] }), {
      delete: `${agents}/swarm-down.js`,
    });
    assert.deepEqual(targetsIn(state(begun), "s"), [{ cluster: "main", by: "s", hosts: request.hosts, networks: [] }]);
    assert.equal(targetsIn(state(begun, command(`${agents}/swarm-up.js`, secret(request))), "s").length, 1, "the whole request counts");
  });

  it("takes the way to a machine that was replaced from what was asked last, which failed", () => {
    const moved = { ...connection, host: "192.0.2.9" };
    const asked = [
      { key: "control-1", connection: moved },
      { key: "edge-1", connection },
    ];
    const text = state(
      command(`${agents}/intent.js`, secret({ cluster: "main", hosts: asked, holders: [] }), { delete: `${agents}/swarm-down.js` }),
      command(`${agents}/swarm-up.js`, secret(request)),
    );
    assert.deepEqual(targetsIn(text, "s")[0]?.hosts, [{ key: "control-1", connection: moved }]);
    assert.deepEqual(askedIn(text, "s"), [{ cluster: "main", by: "s", hosts: asked, networks: [] }]);
  });

  it("says what is wrong with a state, and what to do", () => {
    assert.throws(() => targetsIn("no JSON", ""), /This is no state of Pulumi's\. Fix: give what "pulumi stack export --show-secrets" prints/);
    assert.throws(() => targetsIn(state(command(`${agents}/swarm-up.js`, { [mark]: "x", ciphertext: "AAAA" })), ""), NoTarget);
    assert.deepEqual(targetsIn(state(), ""), []);
  });

  it("takes the connections of a cluster, or one", () => {
    assert.deepEqual(targetOfConnections(JSON.stringify(connection), "c").hosts, [{ key: "192.0.2.1", connection }]);
    assert.deepEqual(targetOfConnections(JSON.stringify({ "control-1": connection }), "c").hosts, [{ key: "control-1", connection }]);
  });

  it("refuses a connection that pins no host key, or by which nobody can log in, and shows no key", () => {
    const wrong = (given: unknown): string => {
      try {
        targetOfConnections(JSON.stringify(given), "c");
      } catch (error) {
        assert.ok(error instanceof NoTarget);
        return error.message;
      }
      return "taken";
    };
    assert.match(wrong({ host: "192.0.2.1", privateKey: "SECRET" }), /^The connection "192\.0\.2\.1" cannot be used: no host key is pinned\. Fix: /);
    assert.match(wrong({ host: "192.0.2.1", hostKey }), /neither privateKey nor agentSocket/);
    assert.match(wrong({ a: "192.0.2.1" }), /^"a" is no connection: it has no host to connect to/);
    assert.match(wrong([]), /^There are no connections in it/);
    for (const given of [{ host: "192.0.2.1", privateKey: "SECRET" }, { a: { privateKey: "SECRET" } }]) assert.doesNotMatch(wrong(given), /SECRET/);
  });
});

describe("pulumi-swarm status", () => {
  const run = async (args: readonly string[], input = ""): Promise<{ code: number; out: string; error: string }> => {
    let [out, error] = ["", ""];
    const terminal = {
      input: async () => input,
      inputIsTty: false,
      outIsTty: false,
      out: (text: string) => void (out += text),
      error: (text: string) => void (error += text),
    };
    return { code: await dispatch(["status", ...args], terminal), out, error };
  };
  const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
    ["another format", ["--format", "xml"], /there is no format "xml"; there are plain, json\./],
    ["another word", ["--fail-on", "drift,fire"], /--fail-on does not know "fire"; there are drift, broken, warning, nothing-answers, /],
    ["two sources", ["state.json", "--stack", "prod"], /a file and --stack both say where the hosts are; keep one of them\./],
    [
      "a connection as text",
      ["--connection", '{"host":"192.0.2.1"}'],
      /--connection takes the name of a file.*everyone on this machine can read the arguments/,
    ],
    ["no number of seconds", ["--timeout", "soon"], /--timeout is a number of seconds from 1 to 3600, not "soon"/],
    ["a pause without --watch", ["--every", "5"], /--every is the pause of --watch, which is not given/],
  ];
  for (const [what, args, says] of wrong) {
    it(`refuses ${what} with the exit code that monitoring takes for unknown`, async () => {
      const { code, out, error } = await run(args);
      assert.deepEqual([code, out], [3, ""]);
      assert.match(error, says);
    });
  }

  it("says that it knows nothing where no stack has a cluster, or several have", async () => {
    const none = await run(["-"], state());
    assert.deepEqual(
      [none.code, none.error],
      [3, "pulumi-swarm status: There is no cluster of pulumi-swarm in the stack. Fix: name the stack that has one\n"],
    );
    const two = await run(["-"], state(...["a", "b"].map((cluster) => command(`${agents}/swarm-up.js`, secret({ ...request, cluster })))));
    assert.match(two.error, /There are several clusters\. Fix: choose one by --cluster: "a", "b"/);
    assert.equal((await run(["no-such-file.json"])).code, 3);
  });
});
