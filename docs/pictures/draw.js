// @ts-check
// Draws how a packet goes from a container on one host to a container on another, for each overlay: node docs/pictures/draw.js
"use strict";
const fs = require("node:fs");
const path = require("node:path");

/**
 * @typedef {object} Stage
 * @property {string} title
 * @property {string} says
 *
 * @typedef {object} Picture
 * @property {string} title
 * @property {readonly Stage[]} stages from the container down to the wire; the other host has the same, upwards
 * @property {readonly [string, number][]} packet what is on the wire, outermost first, with relative widths
 * @property {string} note
 */

/** @type {Readonly<Record<string, Picture>>} */
const pictures = {
  native: {
    title: "native: Docker's own VXLAN",
    stages: [
      { title: "container", says: "eth0 on network web, MTU 1450" },
      { title: "bridge in a namespace of the network", says: "knows from gossip which host has which address" },
      { title: "VXLAN device in the kernel", says: "encrypted: true wraps it in ESP (MTU 1424)" },
      { title: "host's interface", says: "MTU 1500; the firewall lets in members alone" },
    ],
    packet: [
      ["Ethernet", 2],
      ["IP host → host", 3],
      ["UDP 4789", 2],
      ["VXLAN", 2],
      ["the container's packet", 5],
    ],
    note: "50 bytes a packet. A service has a virtual address, and any host answers on a published port (IPVS).",
  },
  weave: {
    title: "weave: a router on each host",
    stages: [
      { title: "container", says: "ethwe0 on network web, MTU 1412" },
      { title: "bridge weave", says: "one for all networks; each network is a subnet" },
      { title: "Weave's router", says: "in the kernel (fast datapath) or in user space (sleeve)" },
      { title: "host's interface", says: "MTU 1500; the firewall lets in members alone" },
    ],
    packet: [
      ["Ethernet", 2],
      ["IP host → host", 3],
      ["UDP 6783 or 6784", 3],
      ["NaCl or ESP", 2],
      ["the container's packet", 5],
    ],
    note: "88 bytes a packet, 64 without encryption: enough for both ways. A service's name leads to its tasks' addresses in turn.",
  },
  flannel: {
    title: "flannel: a subnet for each host, over VXLAN",
    stages: [
      { title: "container", says: "a macvlan interface on network web, MTU 1450" },
      { title: "bridge of the network on this host", says: "a slice of the host's subnet, such as 10.97.1.64/26" },
      { title: "route to the other host's subnet", says: "made by flanneld, from what etcd holds" },
      { title: "flannel.1: VXLAN device in the kernel", says: "or none: host-gw hands the packet on as it is" },
      { title: "host's interface", says: "MTU 1500; the firewall lets in members alone" },
    ],
    packet: [
      ["Ethernet", 2],
      ["IP host → host", 3],
      ["UDP 8472", 2],
      ["VXLAN", 2],
      ["the container's packet", 5],
    ],
    note: "50 bytes a packet, none with host-gw. The other side sees the container's own address. A service's name leads to its tasks' addresses.",
  },
  calico: {
    title: "calico: a subnet for each host, announced by BGP",
    stages: [
      { title: "container", says: "a macvlan interface on network web, MTU 1500" },
      { title: "bridge of the network on this host", says: "a slice of the host's subnet, such as 10.97.1.64/26" },
      { title: "our nftables table", says: "its own network and the outside alone; no forged address" },
      { title: "route to the other host", says: "made by BIRD, from what that host announces" },
      { title: "host's interface", says: "or swarm0, the tunnel, with its MTU" },
    ],
    packet: [
      ["Ethernet", 2],
      ["the container's packet", 12],
    ],
    note: "No byte a packet. The other side sees the container's own address. A service's name leads to its tasks' addresses.",
  },
  openvswitch: {
    title: "openvswitch: one switch for all hosts, a VLAN for each network",
    stages: [
      { title: "container", says: "a macvlan interface on network web, MTU 1446" },
      { title: "port of the network, VLAN 2038", says: "OpenFlow: only from the host's own range of it" },
      { title: "Open vSwitch's bridge", says: "in the kernel, or a program that does the same" },
      { title: "tunnel to the other host", says: "VXLAN device in the kernel, one for each host" },
      { title: "host's interface", says: "MTU 1500; the firewall lets in members alone" },
    ],
    packet: [
      ["Ethernet", 2],
      ["IP host → host", 3],
      ["UDP 4790", 2],
      ["VXLAN", 2],
      ["VLAN", 1],
      ["the container's packet", 5],
    ],
    note: "54 bytes a packet. The other side sees the container's own address. A service's name leads to its tasks' addresses.",
  },
  wireguard: {
    title: "any of them over the WireGuard underlay",
    stages: [
      { title: "container", says: "60 bytes less than on the site's own network" },
      { title: "the overlay, as above", says: "its packets go to the other host's tunnel address" },
      { title: "swarm0: the encrypted tunnel", says: "what is for it can leave by no other way" },
      { title: "host's interface", says: "one UDP port, for members alone" },
    ],
    packet: [
      ["Ethernet", 2],
      ["IP host → host", 3],
      ["UDP 51820", 2],
      ["WireGuard: nobody on the way can read the rest", 6],
    ],
    note: "60 bytes a packet (80 by IPv6), beside the overlay's own. It is what joins sites over the Internet.",
  },
};

const [width, hostWidth, gap, stageHeight, stageGap, top] = [920, 400, 120, 52, 22, 92];

/** @param {string} text */
const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** @param {number} x @param {number} y @param {string} text @param {string} kind @param {string} [anchor] */
const label = (x, y, text, kind, anchor = "middle") => `<text class="${kind}" x="${x}" y="${y}" text-anchor="${anchor}">${escape(text)}</text>`;

/** @param {number} x1 @param {number} y1 @param {number} x2 @param {number} y2 */
const arrow = (x1, y1, x2, y2) => `<line class="way" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" marker-end="url(#head)"/>`;

/** @param {number} left @param {string} name @param {readonly Stage[]} stages @param {boolean} down */
function host(left, name, stages, down) {
  const bottom = top + stages.length * (stageHeight + stageGap);
  const boxes = stages.flatMap(({ title, says }, index) => {
    const y = top + index * (stageHeight + stageGap);
    const middle = left + hostWidth / 2;
    const below = y + stageHeight;
    const between =
      index === stages.length - 1
        ? []
        : [down ? arrow(middle, below, middle, below + stageGap - 3) : arrow(middle, below + stageGap, middle, below + 3)];
    return [
      `<rect class="stage${index === 0 ? " container" : ""}" x="${left + 16}" y="${y}" width="${hostWidth - 32}" height="${stageHeight}" rx="7"/>`,
      label(middle, y + 22, title, "title"),
      label(middle, y + 40, says, "says"),
      ...between,
    ];
  });
  return [
    `<rect class="host" x="${left}" y="${top - 34}" width="${hostWidth}" height="${bottom - top + 34}" rx="12"/>`,
    label(left + 16, top - 13, name, "name", "start"),
    ...boxes,
  ];
}

/** @param {Picture} picture */
function draw({ title, stages, packet, note }) {
  const bottom = top + stages.length * (stageHeight + stageGap);
  const wire = bottom - stageGap - stageHeight / 2;
  const packetTop = bottom + 44;
  const whole = packet.reduce((sum, [, share]) => sum + share, 0);
  let x = 0;
  const parts = packet.flatMap(([text, share], index) => {
    const size = (width * share) / whole;
    const part = [
      `<rect class="part${index === packet.length - 1 ? " container" : ""}" x="${x + 1}" y="${packetTop}" width="${size - 2}" height="34" rx="5"/>`,
      label(x + size / 2, packetTop + 22, text, "says"),
    ];
    x += size;
    return part;
  });
  const height = packetTop + 74;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-10 0 ${width + 20} ${height}" width="${width + 20}" height="${height}" role="img" aria-label="${escape(title)}">
<style>
text { font-family: system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
.heading { font-size: 19px; font-weight: 600; } .name { font-size: 13px; font-weight: 600; fill: #59636e; }
.title { font-size: 14px; font-weight: 600; } .says { font-size: 12px; } .note { font-size: 13px; fill: #59636e; }
.paper { fill: #ffffff; } .host { fill: #f6f8fa; stroke: #d1d9e0; } .stage, .part { fill: #ffffff; stroke: #8c959f; }
.container { fill: #ddf4ff; stroke: #0969da; } .way { stroke: #0969da; stroke-width: 2; } .head { fill: #0969da; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; } .name, .note { fill: #9198a1; } .paper { fill: #0d1117; } .host { fill: #151b23; stroke: #3d444d; }
.stage, .part { fill: #212830; stroke: #656c76; } .container { fill: #121d2f; stroke: #4493f8; } .way { stroke: #4493f8; } .head { fill: #4493f8; }
}
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0 L8 4 L0 8 z"/></marker></defs>
<rect class="paper" x="-10" y="0" width="${width + 20}" height="${height}"/>
${label(0, 32, title, "heading", "start")}
${[...host(0, "one host", stages, true), ...host(hostWidth + gap, "another host", stages, false)].join("\n")}
${arrow(hostWidth - 16, wire, hostWidth + gap + 13, wire)}
${label(hostWidth + gap / 2, wire - 10, "the wire", "says")}
${label(0, packetTop - 12, "on the wire", "name", "start")}
${parts.join("\n")}
${label(0, packetTop + 60, note, "note", "start")}
</svg>
`;
}

for (const [name, picture] of Object.entries(pictures)) fs.writeFileSync(path.join(__dirname, `${name}.svg`), draw(picture));
