import assert from "node:assert/strict";
import { loginTo, type Refuse } from "../../components/docker-provider/login";
import { sshOptions } from "../../components/docker-provider/ssh-options";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI rack-a";
const connection = { host: "192.0.2.10", hostKey, privateKey: "a key" };

/** `-o name=value` by name; what is left over is under "rest". */
function read(options: readonly string[]): Record<string, string> {
  const pairs = options.flatMap((option, index) => (option === "-o" ? [(options[index + 1] ?? "").split(/=(.*)/s)] : []));
  return Object.fromEntries(pairs.map(([name = "", value = ""]) => [name, value]));
}

describe("the options of ssh for Docker's provider", () => {
  it("pin the host's key, and read nothing of the user's own", () => {
    const options = sshOptions(connection, { from: "agent" });
    assert.deepEqual(options.slice(0, 2), ["-F", "none"]);
    assert.deepEqual(read(options), {
      BatchMode: "yes",
      StrictHostKeyChecking: "yes",
      UpdateHostKeys: "no",
      UserKnownHostsFile: "/dev/null",
      GlobalKnownHostsFile: "/dev/null",
      KnownHostsCommand: "/bin/echo %H ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM2Xe7akWuUKbDefId+7J/KVvXm35t1buxhlGirgBNuI",
      HostKeyAlgorithms: "ssh-ed25519",
      IdentityFile: "none",
    });
  });

  it("take signatures of today for a key of the old form", () => {
    assert.equal(read(sshOptions({ ...connection, hostKey: "ssh-rsa AAAA" }, { from: "agent" }))["HostKeyAlgorithms"], "rsa-sha2-512,rsa-sha2-256");
  });

  it("name one agent, or one file and no agent; never the key", () => {
    assert.equal(read(sshOptions(connection, { from: "agent", socket: "/run/agent" }))["IdentityAgent"], "/run/agent");
    const fromFile = sshOptions(connection, { from: "file", path: ".keys/swarm" });
    const { IdentityFile, IdentitiesOnly, IdentityAgent } = read(fromFile);
    assert.deepEqual({ IdentityFile, IdentitiesOnly, IdentityAgent }, { IdentityFile: ".keys/swarm", IdentitiesOnly: "yes", IdentityAgent: "none" });
    assert.ok(!fromFile.join(" ").includes("a key"));
  });

  it("have the program that carries the connection, each word as it is", () => {
    const { ProxyCommand } = read(sshOptions({ ...connection, proxyCommand: ["nc", "-X", "it's", "%h", "%p"] }, { from: "agent" }));
    assert.equal(ProxyCommand, `'nc' '-X' 'it'\\''s' '%h' '%p'`);
  });

  it("hop over a bastion whose key is pinned too, logged in to with its own key", () => {
    const bastion = { host: "198.51.100.1", hostKey: "ssh-ed25519 BBBB", user: "jump", port: 2222 };
    const { ProxyCommand = "" } = read(sshOptions({ ...connection, bastion }, { from: "file", path: "k", bastion: "k.bastion" }));
    assert.match(ProxyCommand, /^'ssh' '-F' 'none' '-o' 'BatchMode=yes'/);
    assert.match(ProxyCommand, /'KnownHostsCommand=\/bin\/echo %%H ssh-ed25519 BBBB'/);
    assert.match(ProxyCommand, /'IdentityFile=k\.bastion' .*'-p' '2222' '-l' 'jump' -W '\[%h\]:%p' '198\.51\.100\.1'$/);
  });
});

describe("the way in for Docker's provider", () => {
  const agent = process.env["SSH_AUTH_SOCK"];
  const refuse: Refuse = (message, fix) => {
    throw new Error(`${message}. Fix: ${fix}.`);
  };
  before(() => delete process.env["SSH_AUTH_SOCK"]);
  after(() => agent !== undefined && (process.env["SSH_AUTH_SOCK"] = agent));

  it("is refused, with the ways that there are, where no agent is", () => {
    assert.throws(() => loginTo("rack-a", connection, {}, refuse), {
      message:
        "there is no agent that could log in to rack-a. Fix: start ssh-agent, or give keyFile, or let it be written: " +
        'dockerProvider({ writeKeyTo: ".keys/swarm" }), and keep that file out of version control.',
    });
  });

  it("cannot be a written key where there is none, or one that nobody could open", () => {
    const { privateKey: _key, ...byAgent } = connection;
    assert.throws(
      () => loginTo("rack-a", byAgent, { writeKeyTo: "k" }, refuse),
      /by an agent, so there is no key to write\. Fix: leave writeKeyTo out/,
    );
    const locked = { ...connection, passphrase: "open" };
    assert.throws(() => loginTo("rack-a", locked, { writeKeyTo: "k" }, refuse), /has a passphrase, .*\. Fix: give it to an agent/);
  });
});
