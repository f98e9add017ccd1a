import { loadInstallingScript, loadPart, loadScript } from "../remote/script";

/** Reads an overlay's `status.sh`, and puts before it what all of them have in common. */
export function loadStatusScript(folder: string): string {
  return ["#!/bin/sh", loadPart(__dirname, "seen.sh"), loadPart(folder, "status.sh")].join("\n");
}

/** Reads an overlay's script for hosts, which asks addresses of other hosts. */
export function loadReachingScript(folder: string, ...names: readonly string[]): string {
  return [loadInstallingScript(folder), loadPart(__dirname, "reached.sh"), ...names.map((name) => loadScript(folder, name))].join("\n");
}

/** Reads the script that keeps Open vSwitch's bridge. A file on hosts. */
export function loadSwitchScript(folder: string): string {
  return [loadPart(__dirname, "uplinks.sh"), loadPart(folder, "trunks/trunks.sh"), loadScript(folder, "bridge.sh")].join("");
}
