import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { capture } from "../../tools/lab/capture";
import { askIn, needTools, type NetworkFile } from "../../tools/lab/namespace";
import { run } from "../../tools/lab/pulumi";

const port = 9;

/** A network of two linked interfaces, `near` and `far`. What is sent to 192.0.2.2 goes by the first. */
const link = [
  "ip link add near type veth peer name far",
  "ip link set far up",
  "ip link set near up",
  "ip address add 192.0.2.1/24 dev near",
  "ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev near",
  "echo ready",
  "exec sleep 60",
].join(" && ");

describe("a capture", () => {
  let holder: ChildProcess | undefined;
  let network: NetworkFile = "";

  before(async function () {
    needTools(this, "nsenter", "unshare", "tcpdump", "pgrep");
    holder = spawn("unshare", ["--net", "sh", "-c", link], { stdio: ["ignore", "pipe", "inherit"] });
    assert.ok(holder.stdout);
    await once(holder.stdout, "data");
    network = `/proc/${holder.pid}/ns/net`;
  });
  after(() => holder?.kill());

  it("has all that was sent, though tcpdump gets a processor only when the work is done", async () => {
    const { packets, bytes } = await capture(network, "far", () => whileItStands(network), ["udp", "port", String(port)], 65_535);
    assert.equal(packets.length, 20);
    assert.ok(bytes.includes("word 20"));
  });
});

/** Sends twenty packets while tcpdump is stopped. It goes on some time after. */
async function whileItStands(network: NetworkFile): Promise<void> {
  const { stdout } = await run("pgrep", ["-P", String(process.pid), "-x", "tcpdump"]);
  const watching = Number(stdout);
  process.kill(watching, "SIGSTOP");
  setTimeout(() => process.kill(watching, "SIGCONT"), 300);
  await askIn(network, "bash", "-c", `for word in $(seq 20); do echo "word $word" >/dev/udp/192.0.2.2/${port}; done`);
}
