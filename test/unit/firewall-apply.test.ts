import assert from "node:assert/strict";
import { applyFirewall, describeNotBack, explainLockOut, removeFirewall } from "../../components/firewall/apply";
import type { ScriptValues } from "../../components/remote/script";
import type { SshSession } from "../../components/remote/ssh";

/** A session that answers each verb of the script from a list, and remembers what it was asked. */
class FakeSession {
  readonly asked: string[] = [];
  values: ScriptValues = {};
  closed = false;

  constructor(private readonly answers: Readonly<Record<string, readonly unknown[]>>) {}

  async script(_text: string, values: ScriptValues, { verb }: { readonly verb: string }): Promise<unknown> {
    const before = this.asked.filter((asked) => asked === verb).length;
    this.asked.push(verb);
    this.values = { ...this.values, ...values };
    const answer = this.answers[verb]?.[before];
    if (answer instanceof Error) throw answer;
    assert.notEqual(answer, undefined, `nothing to answer to ${verb}`);
    return answer;
  }

  async run(): Promise<unknown> {
    return { code: 0, stdout: "192.0.2.9 50000 10.0.0.1 22", stderr: "" };
  }

  close(): void {
    this.closed = true;
  }

  get asSession(): SshSession {
    return this as unknown as SshSession;
  }
}

const quiet = (): void => {};

describe("a ruleset put on a host", () => {
  it("is left alone when the host holds it already: no second connection is made", async () => {
    const session = new FakeSession({ apply: [{ changed: false }] });
    const redial = (): Promise<SshSession> => assert.fail("there is nothing to confirm");
    assert.deepEqual(await applyFirewall({ key: "a-1", session: session.asSession, redial }, "rules\n", quiet), { changed: false });
    const { GUARD, SMALLEST, ...values } = session.values as Record<string, string>;
    assert.deepEqual(values, { RULESET: "rules", LIMIT_SECONDS: "15" });
    assert.match(String(GUARD), /^#!\/bin\/sh\n/);
    assert.match(String(SMALLEST), /policy drop;/, "where no smaller rules are given, nobody comes in");
  });

  it("is confirmed over a new connection, which is closed again, after dials that failed", async () => {
    const session = new FakeSession({ apply: [{ changed: true, seconds: 15 }] });
    const fresh = new FakeSession({ confirm: [{ confirmed: true }] });
    let dials = 0;
    const redial = async (): Promise<SshSession> => {
      if (dials++ === 0) throw new Error("no route");
      return fresh.asSession;
    };
    assert.deepEqual(await applyFirewall({ key: "a-1", session: session.asSession, redial }, "rules", quiet), { changed: true });
    assert.deepEqual([session.asked, fresh.asked, fresh.closed, session.closed, dials], [["apply"], ["confirm"], true, false, 2]);
  });

  it("fails when the host had put the old rules back by the time of the confirmation", async () => {
    const session = new FakeSession({ apply: [{ changed: true, seconds: 15 }] });
    const fresh = new FakeSession({ confirm: [new Error("a-1: the old ones are back")] });
    const target = { key: "a-1", session: session.asSession, redial: async () => fresh.asSession };
    await assert.rejects(applyFirewall(target, "rules", quiet), /the old ones are back/);
    assert.ok(fresh.closed);
  });

  it("that locks this machine out ends in an error, once the old rules are back; a connection that comes too late is closed", async function () {
    this.timeout(20_000);
    const session = new FakeSession({ apply: [{ changed: true, seconds: 5 }], state: [{ pending: true }, { pending: false }] });
    const late = new FakeSession({});
    let answer: (session: SshSession) => void = quiet;
    const redial = (): Promise<SshSession> => new Promise((resolve) => (answer = resolve));
    await assert.rejects(
      applyFirewall({ key: "a-1", session: session.asSession, redial }, "rules", quiet, { seconds: 5, admitted: ["203.0.113.0/24"] }),
      /^RemoteError: a-1: with the new firewall rules no new SSH connection came within 5 s, .*192\.0\.2\.9; firewall\.ssh \(203\.0\.113\.0\/24\) does not allow it/,
    );
    assert.deepEqual(session.asked, ["apply", "state", "state"]);
    answer(late.asSession);
    await new Promise(setImmediate);
    assert.ok(late.closed);
  });

  it("has as long on a host that is busy as the host says, and each dial a share of it", async function () {
    this.timeout(20_000);
    const session = new FakeSession({ apply: [{ changed: true, seconds: 9 }] });
    const fresh = new FakeSession({ confirm: [{ confirmed: true }] });
    const stretched: number[] = [];
    const redial = async (stretch: number): Promise<SshSession> => {
      stretched.push(stretch);
      await new Promise((resolve) => setTimeout(resolve, 3_500));
      return fresh.asSession;
    };
    await applyFirewall({ key: "a-1", session: session.asSession, redial }, "rules", quiet, { seconds: 5 });
    assert.deepEqual([stretched, fresh.asked], [[1.8], ["confirm"]]);
  });

  it("says no more of a host to which nobody came than is known", () => {
    assert.match(describeNotBack(15, false), /came within 15 s, and since then the host does not say .*Fix: run again, if it is only slow;/);
    assert.match(describeNotBack(15, true), /came within 15 s, and the old ones have not come back: look at the host's console$/);
  });

  it("is taken away by one verb", async () => {
    const session = new FakeSession({ down: [{}] });
    await removeFirewall(session.asSession, quiet);
    assert.deepEqual(session.asked, ["down"]);
  });
});

describe("the advice to somebody locked out", () => {
  for (const [from, admitted, expected] of [
    ["192.0.2.9", ["203.0.113.0/24"], /\(203\.0\.113\.0\/24\) does not allow it\. Fix: add "192\.0\.2\.9\/32"/],
    ["192.0.2.9", [], /\(empty\) does not allow it/],
    ["2001:db8::9", ["203.0.113.0/24"], /Fix: add "2001:db8::9\/128"/],
    ["203.0.113.9", ["203.0.113.0/24"], /allows: check that the SSH server's port/],
    ["192.0.2.9", undefined, /firewall\.ssh must allow it/],
    ["127.0.0.1", ["127.0.0.1/32"], /^The host sees this machine as itself.*check that the program that carries the connection/],
    ["::1", undefined, /^The host sees this machine as itself/],
    ["", ["203.0.113.0/24"], /^Check that firewall\.ssh holds the address/],
    ["fe80::1%eth0", [], /^Check that firewall\.ssh holds the address/],
  ] as const) {
    it(`for "${from}" with ${JSON.stringify(admitted)}`, () => assert.match(explainLockOut(from, admitted), expected));
  }
});
