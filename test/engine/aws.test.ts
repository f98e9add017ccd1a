import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Stack } from "../../tools/lab/pulumi";
import { forget, standIn } from "../plugins/clouds/install";

describe("EC2 hosts in a network that is known only when it is made", function () {
  this.timeout(120_000);
  const folder = join(__dirname, "late-network");
  const account = standIn("aws", "late-network");
  const stack = new Stack("late-network", folder, account.env);
  const end = async (): Promise<void> => {
    forget(account);
    await stack.pulumi(["stack", "rm", "--yes", "--force"]);
    rmSync(join(folder, "Pulumi.late-network.yaml"), { force: true });
  };

  before(async () => {
    await end();
    await stack.init();
    await stack.setConfig({ cidr: "10.96.0.0/16" });
  });
  after(end);

  it("are previewed, since nothing is wrong as far as anybody knows", async () => {
    const preview = await stack.preview();
    assert.equal(preview.code, 0, preview.stdout + preview.stderr);
    assert.match(preview.stdout, /aws:ec2:Instance prod-control-1 create/);
  });

  it("are refused when it turns out to overlap, before anything of theirs is made", async () => {
    const up = await stack.up();
    assert.notEqual(up.code, 0);
    assert.match(up.stdout, /The swarm cluster "prod" cannot be planned: 1 problem\./);
    assert.match(
      up.stdout,
      /addressSpace: 10\.96\.0\.0\/14 overlaps 10\.96\.0\.0\/16, the network of site "aws eu-west-1"\. Fix: choose a space that is free everywhere/,
    );
    assert.deepEqual(existsSync(account.file) ? JSON.parse(readFileSync(account.file, "utf8")) : {}, {});
  });
});
