import type { OverlayDescription } from "./description";

const folder = "/etc/pulumi-swarm/weave";
const unit = "pulumi-swarm-weave.service";
const image = "weaveworks/weave";
const version = "2.6.5";

/** The same program by its digest, which has another name on hosts. */
async function pinned(): Promise<object> {
  const manifest = "application/vnd.docker.distribution.manifest.v2+json";
  const answer = await fetch(`http://127.0.0.1:5000/v2/${image}/manifests/${version}`, { headers: { accept: manifest } });
  return { router: { digest: answer.headers.get("docker-content-digest") ?? "" } };
}

// The router finds another file there than the one that up writes.
const dropIn = `/etc/systemd/system/${unit}.d`;
const give = [
  "echo wrong >/root/wrong",
  `mkdir -p ${dropIn}`,
  `printf '[Service]\\nBindReadOnlyPaths=/root/wrong:${folder}/password\\n' >${dropIn}/wrong.conf`,
  "systemctl daemon-reload",
  `systemctl restart ${unit}`,
];

export const weave: OverlayDescription = {
  kind: "weave",
  images: [`${image}:${version}`],
  first: {},
  usual: pinned,
  mtu: { direct: 1412, wireguard: 1376 },
  port: "6783",
  daemons: [
    {
      program: "weaver",
      unit: "pulumi-swarm-weave",
      folder: "weave",
      on: "all",
      listens: "on its host's addresses",
      killed: 10,
      finding: "weave-router",
    },
  ],
  others: 1,
  upgrade: 10,
  internal: true,
  services: "dnsrr",
  publishes: true,
  restarts: false,
  secret: {
    print: `cat ${folder}/password`,
    inTunnel: false,
    perHost: "all the same",
    seen: /--plugin-v2/,
    forged: {
      give: give.join("; "),
      cutsOff: true,
      finding: "weave-connection",
      up: {
        refuses: /work-\S+: Weave's router is not connected to those of .* after 20 s: they have another password than it has/,
        undo: `rm -r ${dropIn} /root/wrong; systemctl daemon-reload`,
      },
    },
    rotation: {
      args: { rotation: "second" },
      silence: 10,
      restarts: true,
      waits: /the routers keep their password for now: work-\S+ cannot be told of another one/,
    },
  },
  traces: /weave/,
};
