import type { Rows } from "./javascript";

/** What can be made, and is seldom meant: the summary points it out. */
export const warned: Rows = [
  ["everybody by IPv4 alone", `firewall: { ssh: ["198.51.100.0/24"], expose: { web: { port: 80, from: ["0.0.0.0/0"] } } }`],
  ["everybody by IPv6 alone", `firewall: { ssh: ["198.51.100.0/24"], allow: { dns: { port: 53, protocol: "udp", from: ["::/0"] } } }`],
  ["workers where there are none", `firewall: { ssh: ["198.51.100.0/24"], expose: { web: { port: 80, from: ["world"], on: "workers" } } }`],
  ["sources where there are none", `firewall: { ssh: ["198.51.100.0/24"], allow: { db: { port: 5432, from: ["workers"] } } }`],
  ["SSH for everybody", `firewall: { ssh: ["0.0.0.0/0"] }`],
  ["no firewall", `firewall: { ssh: ["198.51.100.0/24"], enforce: "none" }`],
  ["a built-in rule for everybody", `firewall: { ssh: ["198.51.100.0/24"], rules: { "swarm-control": { from: ["world"] } } }`],
  ["a misspelt owner to renumber", `renumber: ["network wbe"], networks: { web: {} }`],
  ["a network to renumber by its name alone", `renumber: ["web"], networks: { web: {} }`],
  ["a misspelt key of daemon.json", `engine: { settings: { logDriver: "local" } }`],
  ["Docker's rules switched off", `engine: { settings: { iptables: false } }`],
  [
    "one image for two processors",
    `hosts: { control: aws.hosts({ role: "manager", count: 3, region: "eu-west-1", image: { id: "ami-0abc" }, each: { 2: { instanceType: "t4g.medium" } } }) }`,
  ],
  [
    "one snapshot for two processors",
    `hosts: { control: hetzner.hosts({ role: "manager", count: 3, image: { id: "4711" }, each: { 2: { serverType: "cax11" } } }) }`,
  ],
  [
    "networks that are small for the hosts",
    `hosts: { control, edge: local.hosts({ role: "worker", count: 150 }) }, networks: { web: {}, db: {}, all: { prefix: 22 } }`,
  ],
  [
    "an ingress network that is small for the hosts",
    `hosts: { control, edge: local.hosts({ role: "worker", count: 40 }) }, addressSpace: "10.96.0.0/20"`,
  ],
  ["encryption twice", `underlay: wireguard(), overlay: native({ encrypted: true })`],
];
