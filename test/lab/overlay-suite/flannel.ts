import type { OverlayDescription } from "./description";

/** What version 0.1.0 of this package took, and what this one takes. */
const older = { program: { version: "v0.26.7" }, etcd: { program: { version: "v3.5.16" }, allowVulnerable: "v3.5.16" } };
const images = ["flannel-io/flannel:v0.28.10", "flannel-io/flannel:v0.26.7", "etcd-development/etcd:v3.5.35", "etcd-development/etcd:v3.5.16"];

const files = "/etc/pulumi-swarm/flannel/*.pem /var/lib/pulumi-swarm/flannel/etcd/tls/*.pem";
const forge = [
  "cd /etc/pulumi-swarm/flannel; openssl genpkey -algorithm ed25519 -out /root/forged.key",
  // All is as it should be, but for who signed it.
  String.raw`name=$(openssl x509 -in host.pem -noout -subject -nameopt multiline | sed -n 's/^ *commonName *= //p')`,
  'test -n "$name"; openssl req -x509 -new -key /root/forged.key -subj "/CN=$name" -days 100 -out /root/forged.pem',
  "cat /root/forged.key /root/forged.pem >host.pem; rm /root/forged.key /root/forged.pem; systemctl restart --no-block pulumi-swarm-flannel",
];

export const flannel: OverlayDescription = {
  kind: "flannel",
  images,
  first: older,
  usual: () => Promise.resolve({}),
  mtu: { direct: 1450, wireguard: 1390 },
  port: "8472",
  daemons: [
    {
      program: "flanneld",
      unit: "pulumi-swarm-flannel",
      folder: "flanneld",
      on: "all",
      listens: "on its host's addresses",
      killed: 0,
      finding: "flanneld-stopped",
    },
    {
      program: "etcd",
      unit: "pulumi-swarm-flannel-etcd",
      folder: "etcd",
      on: "managers",
      listens: "on its host's addresses",
      killed: 0,
      finding: "etcd-member",
    },
  ],
  others: 0,
  upgrade: 0,
  internal: false,
  services: "as usual",
  publishes: false,
  restarts: true,
  secret: {
    // The lines of a key that are like no other's. A worker has one for flanneld, a manager also one for root and two of etcd's.
    print: `cat $(grep -ls 'PRIVATE KEY' ${files}) | sed -n '/PRIVATE KEY/,/END/p' | grep -v -- -----`,
    inTunnel: true,
    perHost: "each its own",
    seen: /flanneld/,
    forged: {
      give: forge.join("\n"),
      cutsOff: false,
      says: { print: "journalctl -u pulumi-swarm-flannel -o cat", words: /.*do not take each other.*/ },
      finding: "flanneld-stopped",
      up: "makes it right",
    },
    rotation: { args: { etcd: { rotation: "second" } }, silence: 0, restarts: false },
  },
  lostState: /there is flannel of another cluster on it, or of this one with a secret that is lost.* Take it off first, if nothing needs it: (.+)/,
  traces: /flannel|etcd|fl-|flp-|unreachable/,
};
