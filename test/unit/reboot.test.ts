import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import type { Fleet } from "../../components/agents/fleet";
import type { Ready } from "../../components/agents/phases/engines";
import { rebootHost } from "../../components/agents/phases/reboot";
import type { SwarmRequest } from "../../components/agents/request";
import { RemoteError } from "../../components/remote/connection";
import { HostKeyMismatch } from "../../components/remote/dial";
import { NotBack } from "../../components/walk";

const [before, after] = ["0a-17", "0a-99"];

/** A lock that nobody else holds. */
class Lock extends Duplex {
  constructor() {
    super();
    this.push("locked\n");
  }
  override _read(): void {}
  override _write(beats: Buffer, _encoding: string, done: () => void): void {
    setImmediate(() => this.push("beat\n".repeat(beats.length)));
    done();
  }
}

/** A session to a machine that has started so. */
function session(key: string, boot: string): { readonly closed: boolean; close(): void } {
  return {
    closed: false,
    host: key,
    address: `${key}:22`,
    script: (_text: string, _values: object, { verb }: { readonly verb: string }) =>
      Promise.resolve(verb === "reboot" ? { boot } : { boot, rebooted: null, packages: null, required: "" }),
    stream: (_command: string, use: (channel: Duplex) => unknown) => Promise.resolve(use(new Lock())),
    close(): void {
      Object.assign(this, { closed: true });
    },
  } as never;
}

function ready(key: string, connection: object = {}): Ready {
  const host = { key, address: `${key}.example`, connection: { host: `${key}.example`, hostKey: `ssh-ed25519 ${key}`, ...connection } };
  return { key, session: session(key, before), host } as unknown as Ready;
}

/** What each dial meets, in this order; the last one again and again. */
class Fake {
  readonly told: string[] = [];
  readonly dialled: { readonly closed: boolean }[] = [];

  constructor(private readonly meets: readonly (string | Error)[]) {}

  readonly letGo = (key: string): void => void this.told.push(`lock of ${key} given back`);
  readonly hold = (key: string, lock: { release(): void }): void => {
    lock.release();
    this.told.push(`lock of ${key} taken`);
  };
  readonly renew = ({ key }: { readonly key: string }): void => void this.told.push(`another session for ${key}`);
  readonly dial = (key: string): Promise<unknown> => {
    const met = this.meets[Math.min(this.dialled.length, this.meets.length - 1)] ?? after;
    const made = session(key, met instanceof Error ? "" : met);
    this.dialled.push(made);
    return met instanceof Error ? Promise.reject(met) : Promise.resolve(made);
  };
}

const request = (maintenance: object = {}): SwarmRequest =>
  ({ cluster: "prod", project: "shop", stack: "prod", maintenance }) as unknown as SwarmRequest;
const reboot = (fake: Fake, host: Ready, all: readonly Ready[], maintenance?: object): Promise<void> =>
  rebootHost(fake as unknown as Fleet, request(maintenance), host, "2026-12", all);

describe("a host that is rebooted", function () {
  this.timeout(20_000);
  const silent = new RemoteError("edge-1", "cannot be reached over SSH at edge-1.example:22 within 15 s: connection refused");

  it("is waited for until its machine has restarted, and not only until SSH answers", async () => {
    const host = ready("edge-1");
    const fake = new Fake([before, silent, after]);
    await reboot(fake, host, [host]);
    assert.deepEqual(fake.told, ["lock of edge-1 given back", "another session for edge-1", "lock of edge-1 taken"]);
    assert.deepEqual(
      fake.dialled.map(({ closed }) => closed),
      [true, false, false],
    );
  });

  it("has the hosts reached again that are behind it", async () => {
    const host = ready("edge-1");
    const behind = ready("edge-2", { bastion: { host: "203.0.113.1", hostKey: "ssh-ed25519 edge-1" } });
    const fake = new Fake([after]);
    await reboot(fake, host, [host, behind, ready("edge-3", { bastion: { host: "192.0.2.1", hostKey: "ssh-ed25519 elsewhere" } })]);
    assert.deepEqual(fake.told, [
      "lock of edge-1 given back",
      "lock of edge-2 given back",
      "another session for edge-1",
      "another session for edge-2",
      "lock of edge-1 taken",
      "lock of edge-2 taken",
    ]);
  });

  it("is given up after maintenance.rebootSeconds, with what was seen last", async () => {
    const host = ready("edge-1");
    for (const [meets, said] of [
      [
        silent,
        "rebooted, and is not back after 2 s (maintenance.rebootSeconds): edge-1: cannot be reached over SSH at edge-1.example:22 within 15 s: connection refused",
      ],
      [before, "rebooted, and is not back after 2 s (maintenance.rebootSeconds): it has not gone down"],
    ] as const)
      await assert.rejects(reboot(new Fake([meets]), host, [host], { rebootSeconds: 2 }), (error) => {
        assert.ok(error instanceof NotBack);
        assert.equal(error.message, said);
        return true;
      });
  });

  it("is given up at once where it has another host key since", async () => {
    const host = ready("edge-1");
    const other = new RemoteError("edge-1", "edge-1.example presented another host key than the one pinned.", { cause: new HostKeyMismatch("") });
    const fake = new Fake([silent, other]);
    await assert.rejects(reboot(fake, host, [host]), (error) => {
      assert.ok(error instanceof NotBack);
      assert.match(error.message, /^rebooted, and is another machine since: edge-1: edge-1\.example presented another host key/);
      return true;
    });
    assert.equal(fake.dialled.length, 2);
  });
});
