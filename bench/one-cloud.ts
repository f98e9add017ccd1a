import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/*
 * What this package adds to a program for one cloud, against a program that uses the cloud's own package alone: the compiler's
 * time for it, the time to load it, and the time to run it against a mocked engine. In user processor time, alternating, so that other
 * work on the machine counts little: npm run bench:cloud
 */

const root = join(__dirname, "..");
const folder = join(root, ".lab", "bench", "one-cloud");
const rounds = Number(process.env["BENCH_ROUNDS"] ?? 5);

/** Programs of about the same purpose: three hosts that can be reached over SSH. */
interface Cloud {
  readonly name: string;
  readonly package: string;
  /** Body of the function that declares all, and the lines before it. */
  readonly theirs: readonly [imports: string, body: string];
  readonly ours: readonly [imports: string, body: string];
}

const swarm = 'import { SwarmCluster } from "pulumi-swarm";';

const clouds: readonly Cloud[] = [
  {
    name: "aws",
    package: "@pulumi/aws",
    theirs: [
      'import * as aws from "@pulumi/aws";',
      `const vpc = new aws.ec2.Vpc("vpc", { cidrBlock: "10.64.0.0/16" });
       const gateway = new aws.ec2.InternetGateway("gateway", { vpcId: vpc.id });
       const routes = new aws.ec2.RouteTable("routes", { vpcId: vpc.id, routes: [{ cidrBlock: "0.0.0.0/0", gatewayId: gateway.id }] });
       const subnet = new aws.ec2.Subnet("subnet", { vpcId: vpc.id, cidrBlock: "10.64.0.0/19" });
       new aws.ec2.RouteTableAssociation("routes", { subnetId: subnet.id, routeTableId: routes.id });
       const group = new aws.ec2.SecurityGroup("hosts", { vpcId: vpc.id });
       new aws.vpc.SecurityGroupIngressRule("ssh", { securityGroupId: group.id, ipProtocol: "tcp", fromPort: 22, toPort: 22, cidrIpv4: "203.0.113.0/24" });
       new aws.vpc.SecurityGroupEgressRule("out", { securityGroupId: group.id, ipProtocol: "-1", cidrIpv4: "0.0.0.0/0" });
       for (const n of [1, 2, 3]) {
         const face = new aws.ec2.NetworkInterface(\`host-\${n}\`, { subnetId: subnet.id, securityGroups: [group.id] });
         new aws.ec2.Eip(\`host-\${n}\`, { domain: "vpc", networkInterface: face.id });
         new aws.ec2.Instance(\`host-\${n}\`, { ami: "ami-1", instanceType: "t3.medium", primaryNetworkInterface: { networkInterfaceId: face.id } });
       }`,
    ],
    ours: [
      `${swarm}\nimport * as aws from "pulumi-swarm/aws";`,
      `const control = aws.hosts({ role: "manager", count: 3, region: "eu-west-1", image: { id: "ami-1" } });
       new SwarmCluster("prod", { firewall: { ssh: ["203.0.113.0/24"] }, hosts: { control } });`,
    ],
  },
  {
    name: "hetzner",
    package: "@pulumi/hcloud",
    theirs: [
      'import * as hcloud from "@pulumi/hcloud";',
      `const network = new hcloud.Network("network", { ipRange: "10.64.0.0/16" });
       const firewall = new hcloud.Firewall("hosts", { rules: [{ direction: "in", protocol: "tcp", port: "22", sourceIps: ["203.0.113.0/24"] }] });
       const subnet = new hcloud.NetworkSubnet("hosts", { networkId: network.id.apply(Number), type: "cloud", networkZone: "eu-central", ipRange: "10.64.0.0/24" });
       for (const n of [1, 2, 3]) {
         const options = { dependsOn: subnet };
         new hcloud.Server(\`host-\${n}\`, { serverType: "cx23", image: "debian-13", location: "fsn1", firewallIds: [firewall.id.apply(Number)] }, options);
       }`,
    ],
    ours: [
      `${swarm}\nimport * as hetzner from "pulumi-swarm/hetzner";`,
      `const control = hetzner.hosts({ role: "manager", count: 3, location: "fsn1", serverType: "cx23" });
       new SwarmCluster("prod", { firewall: { ssh: ["203.0.113.0/24"] }, hosts: { control } });`,
    ],
  },
];

/** Answers in the engine's place, with what every resource is asked for. */
const mocks = `import * as pulumi from "@pulumi/pulumi";
void pulumi.runtime.setMocks({
  newResource: ({ inputs }) => ({ id: "1", state: { ...inputs, output: (inputs as { input?: unknown }).input } }),
  call: () => ({ id: "looked-up" }),
}, "bench", "bench", true);`;

function program(name: string, [imports, body]: readonly [string, string]): string {
  const file = join(folder, `${name}.ts`);
  const run = `export function main(): void {\n${body}\n}\nif (process.argv.includes("run")) { main(); }`;
  writeFileSync(file, `${mocks}\n${imports}\n${run}\n`);
  const compilerOptions = { target: "es2022", module: "nodenext", strict: true, skipLibCheck: true, types: ["node"], outDir: `out-${name}` };
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ compilerOptions, files: [file] }));
  return file;
}

/** A consumer's folder: packages are where npm puts them. */
function prepare(): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}");
  for (const name of ["@pulumi", "@types", "@grpc"]) symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  symlinkSync(root, join(folder, "node_modules", "pulumi-swarm"));
}

/** Seconds of user processor time. */
function userSeconds(...command: readonly string[]): number {
  const { status, stdout, stderr } = spawnSync("bash", ["-c", 'TIMEFORMAT=%U; time "$@" 2>&1', "bash", ...command], {
    cwd: folder,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${command.join(" ")} failed:\n${stdout}${stderr}`);
  return Number(stderr.trim());
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** One of ours, one of theirs, and so on: what slows the machine slows both. */
function compare(what: string, ours: readonly string[], theirs: readonly string[], against: string): void {
  const [mine, their]: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    const [one, other] = [userSeconds(...ours), userSeconds(...theirs)];
    // The first fills the caches.
    if (round > 0) {
      mine.push(one);
      their.push(other);
    }
  }
  const [a, b] = [median(mine), median(their)];
  process.stdout.write(
    `${what.padEnd(44)} ${a.toFixed(2).padStart(6)} s ${b.toFixed(2).padStart(6)} s ${(a / b).toFixed(2).padStart(6)}×  ${against}\n`,
  );
}

function benchCloud({ name, theirs, ours }: Cloud): void {
  const [mine, bare] = [`${name}-ours`, `${name}-theirs`];
  program(mine, ours);
  program(bare, theirs);
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const check = (which: string): string[] => [process.execPath, tsc, "--noEmit", "-p", `${which}.json`];
  for (const which of [mine, bare]) userSeconds(process.execPath, tsc, "-p", `${which}.json`);
  const start = (which: string, ...more: string[]): string[] => [process.execPath, join(`out-${which}`, `${which}.js`), ...more];
  compare(`${name}: type-check`, check(mine), check(bare), "the cloud's package alone; aim: 1.3×");
  compare(`${name}: load`, start(mine), start(bare), "the cloud's package alone; aim: 1.3×");
  compare(`${name}: load and declare three hosts`, start(mine, "run"), start(bare, "run"), "as many machines, of no cluster");
}

/** The package as npm installs it where no cloud's package is: none of them is found, nor needed. */
function benchRoot(): void {
  const modules = join(folder, "rootless", "node_modules");
  const own = join(modules, "pulumi-swarm");
  for (const file of ["package.json", "dist/components"]) cpSync(join(root, file), join(own, file), { recursive: true });
  const dependencies = ["@pulumi/pulumi", "@pulumi/command", "@peculiar/asn1-schema", "@peculiar/asn1-x509", "ip-address", "p-limit", "ssh2"];
  for (const name of dependencies) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  const load = (name: string): string[] => [process.execPath, "-e", `process.chdir("rootless"); require(${JSON.stringify(join(modules, name))})`];
  compare("root import, no cloud's package installed", load("pulumi-swarm"), load("@pulumi/pulumi"), "@pulumi/pulumi alone");
}

function main(): void {
  if (!existsSync(join(root, "dist", "components", "index.js"))) throw new Error("there is no dist. Fix: npm run build");
  prepare();
  process.stdout.write(
    `${`medians of ${rounds} rounds, user time`.padEnd(44)} ${"ours".padStart(8)} ${"theirs".padStart(8)} ${"ratio".padStart(7)}\n`,
  );
  for (const cloud of clouds) {
    const here = existsSync(join(root, "node_modules", cloud.package)) && existsSync(join(root, "dist", "components", "hosts", cloud.name));
    if (here) benchCloud(cloud);
  }
  benchRoot();
  rmSync(folder, { recursive: true, force: true });
}

main();
