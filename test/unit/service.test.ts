import assert from "node:assert/strict";
import { type ServedHost, SwarmService } from "../../components/agents/service";
import { deriveSshKey } from "../../components/remote/ssh-key";

const key = deriveSshKey("a secret of this test", "host");

/** Nothing listens there. */
function dead(name: string, role: ServedHost["role"]): ServedHost {
  return { key: name, role, connection: { host: "127.0.0.1", port: 1, privateKey: key.privateKey, hostKey: key.publicKey } };
}

async function leave(host: string, hosts: readonly ServedHost[]): Promise<string[]> {
  const said: string[] = [];
  const service = new SwarmService(
    () => Promise.resolve(hosts),
    { reachableSeconds: 0.1, drainSeconds: 1 },
    (of, line) => said.push(`${of ?? ""}: ${line}`),
  );
  await service.leave(host, "stopped");
  // Whoever was never taken out is not waited for.
  await service.enter(host);
  return said.filter((line) => !line.includes("waiting for SSH"));
}

describe("taking a host out of service where no manager answers", () => {
  it("is refused with what each of them said, and what to do", async () => {
    await assert.rejects(leave("edge-1", [dead("control-1", "manager"), dead("control-2", "manager"), dead("edge-1", "worker")]), (error: Error) => {
      const [first = "", ...lines] = error.message.split("\n");
      assert.equal(first, "none of the managers can be asked to move its tasks:");
      assert.match(lines[0] ?? "", /^ {2}- control-\d: cannot be reached over SSH at root@127\.0\.0\.1:1 within/);
      assert.match(
        lines[2] ?? "",
        /^Fix: see that they answer over SSH and run again; or change the machine at its provider's console and run "pulumi refresh"$/,
      );
      assert.doesNotMatch(error.message, /PRIVATE KEY/);
      return true;
    });
  });

  it("goes on with a warning where it is the only manager itself: it may be changed because it is dead", async () => {
    const said = await leave("control-1", [dead("control-1", "manager"), dead("edge-1", "worker")]);
    assert.equal(said.length, 1);
    assert.match(said[0] ?? "", /^control-1: warning: the only manager cannot be asked, and is stopped as it is: control-1: cannot be reached/);
  });
});
