import Docker from "dockerode";
import { text } from "../shared/properties";
import type { Props } from "../shared/values";

const DEFAULT_HOST = "unix:///var/run/docker.sock";

let connected: Docker | undefined;

/** Sets the daemon from the provider's `host`, else DOCKER_HOST, else the local socket. */
export function configureDocker(config: Props): void {
  connected = connect(text(config, "host") || process.env["DOCKER_HOST"] || DEFAULT_HOST);
}

export function docker(): Docker {
  connected ??= connect(process.env["DOCKER_HOST"] || DEFAULT_HOST);
  return connected;
}

function connect(host: string): Docker {
  const address = new URL(host);
  switch (address.protocol) {
    case "unix:":
      return new Docker({ socketPath: address.pathname });
    case "tcp:":
    case "http:":
      return new Docker({ host: address.hostname, port: address.port || 2375, protocol: "http" });
    default:
      throw new Error(`host: ${host}: this stand-in plugin reaches a daemon by unix:// or tcp:// only; use the real one for ${address.protocol}//`);
  }
}

export function statusOf(error: unknown): number | undefined {
  return typeof error === "object" && error !== null && "statusCode" in error ? Number(error.statusCode) : undefined;
}

/** The result, or `undefined` when the daemon knows no such thing. */
export async function unlessGone<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** The daemon's own words without dockerode's prefix, behind what was tried. */
export async function attempting<T>(what: string, request: Promise<T>): Promise<T> {
  try {
    return await request;
  } catch (error) {
    throw new Error(`${what}: ${reasonOf(error)}`);
  }
}

export function reasonOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "json" in error) {
    const { json } = error;
    if (typeof json === "object" && json !== null && "message" in json) return String(json.message);
  }
  return error instanceof Error ? error.message : String(error);
}
