import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { confirmation } from "../../components/agents/phases/protect";
import type { SwarmClusterArgs } from "../../components/cluster/args";
import { planCluster } from "../../components/cluster/plan";
import { cloudRules } from "../../components/firewall/cloud";
import * as aws from "../../components/hosts/aws";
import { agentCommands, agentPackage } from "../../components/hosts/aws/ssm";
import { userData } from "../../components/hosts/cloud/user-data";
import type { Problem } from "../../components/report";
import { clientKey } from "./client-key";

const region = "eu-west-1";
const bastion = { address: "203.0.113.9", hostKey: "ssh-ed25519 AAAA", privateKey: clientKey };

/** A program without types may give anything. */
function planned(args: object, firewall?: SwarmClusterArgs["firewall"]): ReturnType<typeof planCluster> {
  const hosts = { control: aws.hosts({ role: "manager", region, access: "ssm", iamInstanceProfile: "ssm", ...args }) };
  return planCluster({ hosts, ...(firewall && { firewall }) });
}

function problemsOf(args: object): readonly Problem[] {
  return planned(args).problems;
}

describe("EC2 hosts behind Systems Manager", () => {
  it("need an instance profile, and no bastion", () => {
    assert.deepEqual(problemsOf({ iamInstanceProfile: undefined }), [
      {
        path: "hosts.control.iamInstanceProfile",
        message: "Systems Manager does not serve hosts without an instance profile, so they could not be reached",
        fix: 'give one whose role has the policy AmazonSSMManagedInstanceCore, or set access: "ssh"',
      },
    ]);
    assert.deepEqual(problemsOf({ bastion }), [
      {
        path: "hosts.control.bastion",
        message: "hosts behind Systems Manager are reached without one",
        fix: 'leave it out, or set access: "ssh"',
      },
    ]);
  });

  it("are refused where the way to them is not known", () => {
    assert.deepEqual(
      problemsOf({ access: "serial" }).filter(({ path }) => path !== "firewall.ssh"),
      [{ path: "hosts.control.access", message: '"serial" is no way to the hosts', fix: 'write "ssh" or "ssm"' }],
    );
  });

  it("need nobody in firewall.ssh: SSH is let in from the host itself alone, and by no cloud rule", () => {
    for (const firewall of [undefined, {}, { ssh: [] }]) {
      const { plan, problems } = planned({}, firewall);
      assert.deepEqual(problems, []);
      const ssh = plan.firewall.filter(({ ports }) => ports.includes("22"));
      assert.deepEqual(
        ssh.map(({ name, from, to }) => [name, from, to]),
        [["ssh control", ["127.0.0.1/32", "::1/128"], "group control"]],
      );
      const cloud = cloudRules(plan.firewall, { addressesKnown: true });
      assert.ok(cloud.length > 0 && cloud.every(({ fromPort }) => fromPort !== 22));
      assert.doesNotMatch(JSON.stringify(cloud), /127\.0\.0\.1|::1/);
    }
  });

  it("still need somebody in it beside hosts that are dialled", () => {
    const control = aws.hosts({ role: "manager", region, access: "ssm", iamInstanceProfile: "ssm" });
    const edge = aws.hosts({ role: "worker", region });
    const [problem, ...others] = planCluster({ hosts: { control, edge } }).problems;
    assert.deepEqual(others, []);
    assert.match(problem?.message ?? "", /the hosts of edge could not be reached/);
  });

  it("have more time to confirm new rules, since a program signs in for each connection", () => {
    assert.deepEqual(confirmation({}, 1), { dial: 5, seconds: 15 });
    assert.deepEqual(confirmation({ proxyCommand: ["aws"] }, 1), { dial: 20, seconds: 45 });
  });
});

describe("the agent of Systems Manager", () => {
  const agentOf = (args: object): string | undefined => agentPackage({ role: "manager", region, access: "ssm", ...args }, "2");
  const from = (place: string): string => `https://s3.${place}/amazon-ssm-agent.deb`;

  it("comes from the region's own bucket, for the host's processor, where the image has none", () => {
    assert.equal(agentOf({}), from("eu-west-1.amazonaws.com/amazon-ssm-eu-west-1/latest/debian_amd64"));
    const graviton = { image: "debian-12", each: { 2: { instanceType: "t4g.small" } } };
    assert.equal(agentOf(graviton), from("eu-west-1.amazonaws.com/amazon-ssm-eu-west-1/latest/debian_arm64"));
    assert.equal(agentOf({ region: "cn-north-1" }), from("cn-north-1.amazonaws.com.cn/amazon-ssm-cn-north-1/latest/debian_amd64"));
    for (const args of [{ image: "ubuntu-24.04" }, { image: { id: "ami-1" } }, { access: "ssh" }, { access: undefined }]) {
      assert.equal(agentOf(args), undefined);
    }
  });

  it("adds one command to user data, which is otherwise the same", () => {
    const base = { hostname: "control-1", authorizedKey: "ssh-ed25519 AAAA", hostKey: { privateKey: "private", publicKey: "public" } };
    const commands = agentCommands({ role: "manager", region, access: "ssm" }, "1");
    const text = userData({ ...base, commands });
    const { runcmd, ...rest } = JSON.parse(text.slice(text.indexOf("\n"))) as Record<string, unknown>;
    assert.deepEqual(runcmd, commands);
    assert.equal(commands.length, 1);
    assert.equal(`#cloud-config\n${JSON.stringify(rest, null, 2)}\n`, userData(base));
    assert.equal(userData({ ...base, commands: agentCommands({ role: "manager", region }, "1") }), userData(base));
  });

  it("is fetched again until it is there, then installed and started", () => {
    const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-agent-"));
    try {
      const program = (name: string, text: string): void => {
        writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
        chmodSync(join(folder, name), 0o755);
      };
      const told = join(folder, "told");
      // Its first try meets no network.
      program("python3", `[ -e ${folder}/tried ] || { touch ${folder}/tried; exit 1; }; echo "fetch $3" >>${told}`);
      for (const name of ["dpkg", "systemctl", "rm"]) program(name, `echo "${name} $*" >>${told}`);
      program("sleep", `echo "sleep $*" >>${told}`);
      const [[shell = "", ...words] = []] = agentCommands({ role: "manager", region, access: "ssm" }, "1");
      execFileSync(shell, words, { env: { PATH: `${folder}:${process.env["PATH"]}` } });
      assert.ok(existsSync(told));
      assert.deepEqual(readFileSync(told, "utf8").trimEnd().split("\n"), [
        "sleep 5",
        `fetch ${agentOf({})}`,
        "dpkg -i /run/amazon-ssm-agent.deb",
        "systemctl enable --now amazon-ssm-agent",
        "rm /run/amazon-ssm-agent.deb",
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
