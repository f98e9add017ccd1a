// @ts-check
// What a test sends by mistake to a private address that no lab network has must not leave this machine.
"use strict";
const fs = require("node:fs");
const { BlockList, isIPv4 } = require("node:net");
const { note } = require("./journal");
const { ask, isRoot } = require("./programs");
const { Progress } = require("./report");

const privateBlocks = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
/** Worse than any route that someone else makes, so that it only catches what nobody claims. */
const metric = "4000000";

const isWanted = () => process.env.PULUMI_SWARM_LAB_GUARD === "1" || (process.env.PULUMI_SWARM_LAB_GUARD !== "0" && process.env.CI === "true");

async function guard() {
  if (!isWanted() || process.platform !== "linux") return;
  const progress = new Progress("lab guard");
  if (!isRoot) return progress.warn("not root: private addresses outside the lab stay reachable");
  for (const resolver of privateResolvers()) await keepReachable(resolver);
  for (const block of privateBlocks) await addRoute(["unreachable", block, "metric", metric]);
  progress.done("private addresses outside the lab are unreachable");
}

function privateResolvers() {
  const blocks = new BlockList();
  for (const block of privateBlocks) {
    const [address = "", prefix = ""] = block.split("/");
    blocks.addSubnet(address, Number(prefix));
  }
  const lines = fs.existsSync("/etc/resolv.conf") ? fs.readFileSync("/etc/resolv.conf", "utf8").split("\n") : [];
  const servers = lines.map((line) => line.match(/^nameserver\s+(\S+)/)?.[1] ?? "");
  return servers.filter((server) => isIPv4(server) && blocks.check(server));
}

/** @param {string} address */
async function keepReachable(address) {
  const { ok, stdout } = await ask("ip", ["-json", "route", "get", address]);
  if (!ok) return;
  /** @type {{ gateway?: string, dev?: string }[]} */
  const [route] = JSON.parse(stdout);
  if (route?.dev === undefined) return;
  await addRoute([`${address}/32`, ...(route.gateway ? ["via", route.gateway] : []), "dev", route.dev, "metric", "1"]);
}

/** @param {readonly string[]} route */
async function addRoute(route) {
  const { ok } = await ask("ip", ["route", "add", ...route]);
  // It fails where the route is there already: made earlier, and noted then.
  if (ok) note("routes", [route.join(" ")]);
}

module.exports = { guard };
