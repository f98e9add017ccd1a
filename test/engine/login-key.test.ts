import assert from "node:assert/strict";
import { publicKeyOf } from "../../components/remote/private-key";
import { CloudStack } from "./cloud-stack";

/** Who may log in to a machine that begins with this user data. */
function keyIn({ userData }: Readonly<Record<string, unknown>>): string {
  const config = JSON.parse(String(userData).replace("#cloud-config\n", "")) as { users: { ssh_authorized_keys: string[] }[] };
  return config.users[0]?.ssh_authorized_keys.join() ?? "nobody";
}

const clouds = [
  { cloud: "aws", machine: "instance:Instance", common: { region: "eu-west-1", network: "10.233.80.0/21" } },
  { cloud: "hcloud", machine: "server:Server", common: { network: "10.233.96.0/20" } },
] as const;

for (const { cloud, machine, common } of clouds) {
  describe(`another key that logs in to machines of ${cloud}`, function () {
    this.timeout(300_000);
    const account = new CloudStack(cloud, `login-key-${cloud}`);
    const with_ = (loginKey: number, more: object = {}): object => ({
      groups: { control: { role: "manager", loginKey, ...common }, edge: { role: "worker", count: 2, loginKey, ...common, ...more } },
    });
    const keys = (): Readonly<Record<string, string>> => {
      return Object.fromEntries(account.all(machine).map(({ id, properties }) => [id, keyIn(properties)]));
    };
    /** By which the hosts are reached, as the state has it. */
    const login = async (): Promise<string> => {
      const { stdout } = await account.stack.pulumi(["stack", "export", "--show-secrets"]);
      const { deployment } = JSON.parse(stdout) as { deployment: { resources: { urn: string; inputs?: { stdin?: { plaintext: string } } }[] } };
      const asked = deployment.resources.find(({ urn }) => urn.endsWith("::cl-swarm"))?.inputs?.stdin?.plaintext ?? assert.fail("nothing is asked");
      const { hosts } = JSON.parse(JSON.parse(asked) as string) as { hosts: { connection: { privateKey: string } }[] };
      return [...new Set(hosts.map(({ connection }) => publicKeyOf(connection.privateKey)))].join();
    };
    let first: Readonly<Record<string, string>> = {};
    let second = "";

    before(async () => {
      await account.begin();
      account.describe(with_(1));
      await account.up();
      first = keys();
      assert.equal(Object.keys(first).length, 3);
      const begun = await login();
      assert.deepEqual([...new Set(Object.values(first))], [begun]);
    });
    after(() => account.end());

    it("changes, stops and replaces no machine: only the programs that log in run again", async () => {
      account.describe(with_(2));
      assert.deepEqual(await account.planned(), ["update Command cl-nodes", "update Command cl-swarm", "update Command cl-swarm-intent"]);
      await account.up();
      assert.deepEqual(keys(), first);
      second = await login();
      assert.ok(!Object.values(first).includes(second));
      assert.deepEqual(await account.planned(), []);
    });

    it("is what machines begin with that are made later, or made anew", async () => {
      account.describe(with_(2, { count: 3, each: { 2: { renew: "2026-12" } } }));
      await account.up();
      const now = keys();
      const others = Object.keys(now).filter((id) => !(id in first));
      assert.deepEqual(
        others.map((id) => now[id]),
        [second, second],
      );
      const [stay] = Object.keys(now).filter((id) => id in first);
      assert.equal(now[stay ?? ""], first[stay ?? ""]);
    });
  });
}
