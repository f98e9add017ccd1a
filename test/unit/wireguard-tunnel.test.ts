import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { peersConf as confOf } from "../../components/underlay/wireguard/mesh";

const program = join(__dirname, "../../components/underlay/wireguard/tunnel.sh");

/** The program that systemd runs, with stand-ins for what it calls: the kernel's part can be tried on no lab host. */
class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), "tunnel-"));
  private readonly bin = join(this.folder, "bin");

  constructor() {
    mkdirSync(this.bin);
    copyFileSync(program, join(this.folder, "tunnel"));
    this.write("settings", "INTERFACE=stage0\nADDRESS=10.99.0.1/24\nMTU=1440\nPORT=51820\n");
    this.write("private.key", "the private key\n");
    this.write("peers.conf", "[Peer]\nPublicKey = other\n");
    for (const name of ["ip", "wg", "wireguard-go", "systemd-notify", "sleep", "modprobe"]) this.standIn(name, "");
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  standIn(name: string, body: string): void {
    const log = `echo "${name} $*" >>'${join(this.folder, "calls")}'`;
    const read = name === "wg" ? `case $1 in setconf) cat >'${join(this.folder, "configuration")}' ;; esac` : "";
    writeFileSync(join(this.bin, name), ["#!/bin/sh", log, read, body, ""].join("\n"), { mode: 0o755 });
  }

  /** From then on the kernel knows no such interface. */
  interfaceGoesAfter(looks: number): void {
    const count = `grep -c "wg show stage0 endpoints" '${join(this.folder, "calls")}'`;
    this.standIn("wg", `case "$*" in *endpoints) [ "$(${count})" -le ${looks} ] || exit 1 ;; esac`);
  }

  /**
   * As wireguard-go makes its socket: bound first, and listening a moment later, while nobody may take it away (ipc/uapi_linux.go, UAPIListen).
   * wg takes one away that refuses it, since it is a dead one's (wireguard-tools, ipc-uapi-unix.h).
   */
  userspace(): void {
    const socket = join(this.folder, "wireguard", "stage0.sock");
    mkdirSync(join(this.folder, "wireguard"));
    const perl = (lines: readonly string[]): string => `exec perl -MSocket -MErrno -e '${lines.join(" ")}' '${socket}'`;
    const open = "socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die; my $p = shift; my $a = sockaddr_un($p);";
    this.standIn(
      "wireguard-go",
      perl([
        open,
        "bind($s, $a) or die; select(undef, undef, undef, 0.5); listen($s, 5) or die;",
        '-e $p or die "Failed to listen on uapi socket\n"; sleep 1;',
      ]),
    );
    this.standIn(
      "wg",
      `[ "$1" = show ] || exit 0\n${perl([open, "exit 1 unless -e $p; connect($s, $a) and exit 0;", "unlink $p if $!{ECONNREFUSED}; exit 1;"])}`,
    );
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), "utf8");
  }

  has(name: string): boolean {
    return existsSync(join(this.folder, name));
  }

  run(
    verb: string,
    values: Readonly<Record<string, string>> = {},
  ): { readonly status: number | null; readonly stdout: string; readonly stderr: string; readonly calls: readonly string[] } {
    const env = { ...values, PATH: `${this.bin}:/usr/bin:/bin` };
    const { status, stdout, stderr } = spawnSync("/bin/sh", [join(this.folder, "tunnel"), verb], { env, encoding: "utf8", timeout: 20_000 });
    const calls = join(this.folder, "calls");
    return { status, stdout, stderr, calls: existsSync(calls) ? readFileSync(calls, "utf8").trim().split("\n") : [] };
  }

  configuration(): string {
    return readFileSync(join(this.folder, "configuration"), "utf8");
  }

  end(): void {
    rmSync(this.folder, { recursive: true });
  }
}

const noModule = 'case "$*" in "link add"*) echo "Error: Unknown device type." >&2; exit 2 ;; esac';

describe("the program that holds a host's tunnel", () => {
  let stage: Stage;
  beforeEach(() => (stage = new Stage()));
  afterEach(() => stage.end());

  it("takes the kernel's WireGuard where there is one, says that it is ready, and ends only when the interface is gone", () => {
    stage.interfaceGoesAfter(2);
    const { status, stderr, calls } = stage.run("run");
    assert.equal(status, 1, stderr);
    assert.deepEqual(calls, [
      "ip link delete stage0",
      "ip link add stage0 type wireguard",
      "wg setconf stage0 /dev/stdin",
      "ip address replace 10.99.0.1/24 dev stage0",
      "ip link set stage0 mtu 1440 up",
      "systemd-notify --ready",
      "wg show stage0 peers",
      "sleep 10",
      "wg show stage0 endpoints",
      "sleep 10",
      "wg show stage0 endpoints",
      "sleep 10",
      "wg show stage0 endpoints",
    ]);
  });

  for (const [what, lines, said] of [
    [
      "in wireguard-go's own words",
      ["ERROR: (stage0) 2026/11/30 20:54:00 Failed to create TUN device: device or resource busy", "wireguard-go does not start"],
      "wireguard-go does not start: Failed to create TUN device: device or resource busy",
    ],
    ["in the program's own where it said nothing", ["wireguard-go does not answer"], "wireguard-go does not answer"],
    ["in systemd's where nobody said anything", [], "Job for the unit failed."],
  ] as const) {
    it(`that does not start is told ${what}`, () => {
      const script = readFileSync(join(__dirname, "../../components/underlay/wireguard/wireguard.sh"), "utf8");
      const reason = /^reason\(\) \{.*?^\}/ms.exec(script)?.[0] ?? assert.fail("no function reason");
      stage.write("log", "Job for the unit failed.\n");
      stage.write("journal", lines.map((line) => `${line}\n`).join(""));
      const input = `set -eu\nunit=u; LOG='${stage.folder}/log'\njournalctl() { cat '${stage.folder}/journal'; }\n${reason}\nreason\n`;
      assert.equal(spawnSync("sh", ["-s"], { input, encoding: "utf8" }).stdout, `${said}\n`);
    });
  }

  it("takes wireguard-go where the kernel has none, and ends when that ends, so that systemd begins again", () => {
    stage.standIn("ip", noModule);
    stage.userspace();
    stage.standIn("sleep", "exec /bin/sleep 0.05");
    const { status, stderr, calls } = stage.run("run");
    assert.equal(status, 1);
    assert.match(stderr, /wireguard-go has ended/);
    assert.deepEqual(
      calls.filter((call) => !/^(wg show|wireguard-go|sleep)/.test(call)),
      [
        "ip link delete stage0",
        "ip link add stage0 type wireguard",
        "wg setconf stage0 /dev/stdin",
        "ip address replace 10.99.0.1/24 dev stage0",
        "ip link set stage0 mtu 1440 up",
        "systemd-notify --ready",
      ],
    );
    assert.ok(calls.includes("wireguard-go -f stage0"));
  });

  it("says that wireguard-go does not start, and asks for /dev/net/tun only where there is none", () => {
    stage.standIn("ip", noModule);
    stage.standIn("wireguard-go", "exit 1");
    stage.standIn("wg", 'case "$1" in show) exit 1 ;; esac');
    stage.standIn("sleep", "exec /bin/sleep 0.05");
    const { status, stderr, calls } = stage.run("run");
    assert.equal(status, 1);
    assert.equal(stderr.trim(), `wireguard-go does not start${existsSync("/dev/net/tun") ? "" : ": there is no /dev/net/tun"}`);
    assert.ok(!calls.includes("systemd-notify --ready"));
  });

  for (const step of ["wg setconf", "ip address", "ip link set"]) {
    it(`is not ready when "${step}" fails`, () => {
      const [name = "", ...words] = step.split(" ");
      stage.standIn(name, `case "$*" in "${words.join(" ")}"*) exit 1 ;; esac`);
      const { status, calls } = stage.run("run");
      assert.notEqual(status, 0);
      assert.ok(!calls.includes("systemd-notify --ready"));
    });
  }

  it("calls a peer that cannot be told where it is by the address that was learned before", () => {
    stage.write("endpoints", "hidden\t198.51.100.7:4711\nopen\t203.0.113.1:51820\ngone\t198.51.100.8:4712\n");
    stage.standIn(
      "wg",
      `case "$*" in *endpoints) printf 'hidden\\t(none)\\nopen\\t203.0.113.1:51820\\nnew\\t(none)\\n' ;; *keepalive) echo "hidden off" ;; *listen-port) echo 51820 ;; esac`,
    );
    stage.write("peers.conf", "");
    const { status, stderr, calls } = stage.run("sync");
    assert.equal(status, 0, stderr);
    assert.deepEqual(
      calls.filter((call) => call.startsWith("wg set ")),
      [
        "wg set stage0 peer hidden endpoint 198.51.100.7:4711",
        "wg set stage0 peer hidden persistent-keepalive 25",
        "wg set stage0 peer hidden persistent-keepalive off",
      ],
    );
  });

  it("makes sessions with all peers without changing their keep-alive", () => {
    stage.standIn("wg", `case "$*" in *peers) echo "one two" ;; *keepalive) printf 'one\\toff\\ntwo\\t25\\n' ;; esac`);
    assert.deepEqual(
      stage.run("poke").calls.filter((call) => call.startsWith("wg set ")),
      [
        "wg set stage0 peer one persistent-keepalive 25",
        "wg set stage0 peer one persistent-keepalive off",
        "wg set stage0 peer two persistent-keepalive off",
        "wg set stage0 peer two persistent-keepalive 25",
      ],
    );
  });

  it("hands the private key on by a pipe, and never as an argument", () => {
    stage.interfaceGoesAfter(0);
    const { calls } = stage.run("run");
    assert.equal(stage.configuration(), "[Interface]\nListenPort = 51820\nPrivateKey = the private key\n[Peer]\nPublicKey = other\n");
    assert.ok(!calls.some((call) => call.includes("the private key")));
  });

  /** What a tunnel that runs would answer, by what is asked of it. */
  function running(answers: Readonly<Record<string, string>>): void {
    const all = { "public-key": "pub", "listen-port": "51820", ...answers };
    const cases = Object.entries(all).map(([what, text]) => `*" ${what}") printf '%b\\n' '${text}' ;;`);
    stage.standIn("wg", `case " $*" in *pubkey) echo pub ;; ${cases.join(" ")} esac`);
    stage.standIn(
      "ip",
      'case "$*" in *" address show "*) echo "7: stage0 inet 10.99.0.1/24" ;; *" link show "*) echo "7: stage0: <UP> mtu 1440 " ;; esac',
    );
  }

  const peersConf = [
    "[Peer]\nPublicKey = one\nAllowedIPs = 10.99.0.2/32\nEndpoint = 203.0.113.2:51820\nPersistentKeepalive = 25\n",
    "[Peer]\nPublicKey = two\nAllowedIPs = 10.99.0.3/32\nPersistentKeepalive = 0\n",
    "[Peer]\nPublicKey = next\nPersistentKeepalive = 0\n",
  ].join("");
  const asAsked = {
    "allowed-ips": "next\\t(none)\\ntwo\\t10.99.0.3/32\\none\\t10.99.0.2/32",
    "persistent-keepalive": "next\\toff\\ntwo\\toff\\none\\t25",
    endpoints: "next\\t(none)\\ntwo\\t198.51.100.7:4711\\none\\t203.0.113.2:51820",
  };

  it("sets nothing of a tunnel that is as asked, since wireguard-go would lose packets over it", () => {
    stage.write("peers.conf", peersConf);
    running(asAsked);
    const { status, stderr, calls } = stage.run("sync");
    assert.equal(status, 0, stderr);
    assert.deepEqual(
      calls.filter((call) => !/^(wg show|wg pubkey|ip -o)/.test(call)),
      ["ip address replace 10.99.0.1/24 dev stage0", "ip link set stage0 mtu 1440 up"],
    );
    assert.equal(stage.run("as-asked").status, 0);
  });

  it("takes a peer's networks as asked in whatever order WireGuard lists them, and sets another one", () => {
    stage.write("peers.conf", peersConf.replace("10.99.0.2/32", "10.99.0.2/32,10.96.2.0/24"));
    running({ ...asAsked, "allowed-ips": "one\\t10.96.2.0/24 10.99.0.2/32\\ntwo\\t10.99.0.3/32\\nnext\\t(none)" });
    assert.equal(stage.run("as-asked").status, 0, stage.run("as-asked").stderr);
    running({ ...asAsked, "allowed-ips": "one\\t10.96.9.0/24 10.99.0.2/32\\ntwo\\t10.99.0.3/32\\nnext\\t(none)" });
    assert.deepEqual(
      stage.run("sync").calls.filter((call) => call.startsWith("wg set ")),
      ["wg set stage0 peer one persistent-keepalive 25 allowed-ips 10.96.2.0/24,10.99.0.2/32"],
    );
  });

  const changes: readonly { readonly what: string; readonly answers: Readonly<Record<string, string>>; readonly set: readonly string[] }[] = [
    { what: "its key", answers: { "public-key": "old" }, set: ["private-key private.key"] },
    { what: "its port", answers: { "listen-port": "51821" }, set: ["listen-port 51820"] },
    {
      what: "a peer that it does not know, one that is none any more, and an address that goes from this to that",
      answers: {
        "allowed-ips": "gone\\t10.99.0.3/32\\none\\t10.99.0.2/32\\nnext\\t(none)",
        "persistent-keepalive": "gone\\toff\\none\\t25\\nnext\\toff",
      },
      set: ["peer two persistent-keepalive off allowed-ips 10.99.0.3/32", "peer gone remove"],
    },
    {
      what: "a peer with another keep-alive, and one with an address that it must not have",
      answers: {
        "allowed-ips": "one\\t10.99.0.2/32\\ntwo\\t10.99.0.3/32\\nnext\\t10.99.0.9/32",
        "persistent-keepalive": "one\\toff\\ntwo\\toff\\nnext\\toff",
      },
      set: ["peer next persistent-keepalive off allowed-ips ", "peer one persistent-keepalive 25 allowed-ips 10.99.0.2/32"],
    },
  ];
  for (const { what, answers, set } of changes) {
    it(`sets of a tunnel just what is otherwise: ${what}`, () => {
      stage.write("peers.conf", peersConf);
      running({ ...asAsked, ...answers });
      assert.equal(stage.run("as-asked").status, 1);
      const { status, stderr, calls } = stage.run("sync");
      assert.equal(status, 0, stderr);
      assert.deepEqual(
        calls.filter((call) => call.startsWith("wg set ")),
        set.map((words) => `wg set stage0 ${words}`),
      );
    });
  }

  it("calls a peer again where it is said to be, when it was last heard from elsewhere", () => {
    stage.write("peers.conf", peersConf);
    running({ ...asAsked, endpoints: "one\\t198.51.100.9:4712\\ntwo\\t198.51.100.7:4711\\nnext\\t(none)" });
    assert.equal(stage.run("as-asked").status, 0, "a peer may be anywhere");
    assert.deepEqual(
      stage.run("sync").calls.filter((call) => call.startsWith("wg set ")),
      ["wg set stage0 peer one endpoint 203.0.113.2:51820"],
    );
  });

  it("fails when something of it cannot be set", () => {
    stage.write("peers.conf", peersConf);
    stage.standIn("wg", 'case "$*" in *pubkey | *public-key) echo pub ;; "set "*" peer two "*) exit 1 ;; esac');
    assert.notEqual(stage.run("sync").status, 0);
  });

  it("gives another address to a tunnel without taking it down", () => {
    running({});
    stage.write("peers.conf", "");
    stage.standIn("ip", 'case "$*" in "-o -4 address show"*) echo "7: stage0 inet 10.98.0.1/24 scope global stage0" ;; esac');
    const { status, stderr, calls } = stage.run("sync");
    assert.equal(status, 0, stderr);
    assert.deepEqual(
      calls.filter((call) => call.startsWith("ip ")),
      [
        "ip -o -4 address show dev stage0",
        "ip address delete 10.98.0.1/24 dev stage0",
        "ip address replace 10.99.0.1/24 dev stage0",
        "ip link set stage0 mtu 1440 up",
      ],
    );
  });

  const keyed = (name: string, number: number): string => Buffer.from(`${name} ${number}`.padEnd(32, "-")).toString("base64");
  const peersOf = (changing: readonly string[], number: number): string =>
    confOf(
      ["a-1", "a-10", "b.1"].map((key, index) => ({
        key,
        tunnelAddress: `10.99.0.${index + 2}`,
        endpoint: `203.0.113.${index}:51820`,
        keepalive: 25,
      })),
      Object.fromEntries(
        ["a-1", "a-10", "b.1"].map((key) => [
          key,
          { publicKey: keyed(key, number), ...(changing.includes(key) && { nextPublicKey: keyed(key, number + 1) }) },
        ]),
      ),
    );
  const told = (name: string, conf: string): ReturnType<Stage["run"]> => {
    const section = conf.split("\n\n").find((text) => text.startsWith(`# ${name}\n`)) ?? "";
    return stage.run("peer", { NAME: name, SECTION: section.trimEnd() });
  };

  it("is told of one peer's new key at a time, and comes to the same as when it is told of all at once", () => {
    running({});
    const names = ["a-1", "a-10", "b.1"];
    stage.write("peers.conf", peersOf(names, 1));
    for (const name of ["b.1", "a-1", "a-10"]) {
      const { status, stdout, stderr, calls } = told(name, peersOf([], 2));
      assert.equal(status, 0, stderr);
      assert.match(stdout, /^\{"found":true,"digest":"[0-9a-f]{64}"\}$/m);
      assert.ok(calls.some((call) => call.startsWith(`wg set stage0 peer ${keyed(name, 2)} `)));
    }
    assert.equal(stage.read("peers.conf"), peersOf([], 2));
    const { stdout } = told("a-1", peersOf([], 2));
    assert.equal(stage.read("peers.conf"), peersOf([], 2), "a second time changes nothing");
    const digest = createHash("sha256").update(stage.read("tunnel")).update(peersOf([], 2)).digest("hex");
    assert.equal(stdout.trim(), `{"found":true,"digest":"${digest}"}`);
    assert.equal(stage.run("digest").stdout.trim().split("\n").at(-1), digest);
    assert.ok(!stage.has("pending") && !stage.has("peers.conf.new"));
  });

  it("has a peer's new key on its disk, by its name, before it says so, and in the tunnel before that", () => {
    running({});
    stage.standIn("sync", "");
    stage.write("peers.conf", peersOf(["a-1"], 1));
    const { calls } = told("a-1", peersOf([], 2));
    const [set, synced] = [`wg set stage0 peer ${keyed("a-1", 2)} `, "sync peers.conf ."].map((text) =>
      calls.findIndex((call) => call.startsWith(text)),
    );
    assert.ok(set !== undefined && synced !== undefined && 0 <= set && set < synced, calls.join("\n"));
  });

  it("says so when it is told of a host that it has nothing of, and keeps what it has", () => {
    for (const conf of ["", peersOf([], 1)]) {
      stage.write("peers.conf", conf);
      const { status, stdout } = stage.run("peer", { NAME: "c-1", SECTION: "# c-1" });
      assert.deepEqual([status, stdout, stage.read("peers.conf")], [0, '{"found":false}\n', conf]);
    }
    assert.ok(!stage.has("pending") && !stage.has("peers.conf.new"));
  });

  it("is left with a mark for the next run when a peer's new key cannot be set", () => {
    running({});
    stage.write("peers.conf", peersOf(["a-1"], 1));
    stage.standIn("wg", 'case "$*" in *pubkey | *public-key) echo pub ;; *listen-port) echo 51820 ;; "set "*) exit 1 ;; esac');
    const { status } = told("a-1", peersOf([], 2));
    assert.notEqual(status, 0);
    assert.ok(stage.has("pending"));
  });

  it("takes its interface away, and does not mind when it is gone", () => {
    stage.standIn("ip", "exit 1");
    const { status, calls } = stage.run("remove");
    assert.equal(status, 0);
    assert.deepEqual(calls, ["ip link delete stage0"]);
  });
});
