import { loadInstallingScript, loadPart, loadScript } from "../../remote/script";

/** Reads an overlay's script for hosts, and puts before it what all overlays that route do in Docker, and parts of its own. */
export function loadRoutedScript(folder: string, name: string, parts: readonly string[] = []): string {
  return [
    loadInstallingScript(__dirname),
    loadPart(__dirname, "networks.sh"),
    ...parts.map((part) => loadPart(folder, part)),
    loadScript(folder, name),
  ].join("\n");
}

/** Reads an overlay's `bridges.sh`, and puts before it how links are made and networks kept apart. A file on hosts. */
export function loadBridgesScript(folder: string): string {
  const parts = ["links.sh", "../uplinks.sh", "tenants.sh"].map((part) => loadPart(__dirname, part));
  return [...parts, loadScript(folder, "bridges.sh")].join("\n");
}
