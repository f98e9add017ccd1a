import type { DockerApi } from "../remote/docker-api";
import { loadHostScript } from "../remote/script";
import type { SshSession } from "../remote/ssh";
import type { Examined } from "./types";

const script = loadHostScript(__dirname, "examine.sh");
const timeout = 60_000;

export interface ExaminedHost {
  readonly docker: Pick<DockerApi, "get">;
  readonly session: Pick<SshSession, "script">;
}

interface Found {
  readonly open: readonly string[];
  readonly log: Examined["log"] | null;
  /** As the engine writes it (moby, daemon/cluster/noderunner.go, nodeStartConfig). */
  readonly started: {
    readonly ListenAddr?: string;
    readonly AdvertiseAddr?: string;
    readonly DataPathAddr?: string;
    readonly DataPathPort?: number;
  } | null;
  readonly locked: boolean;
}

/** What one host tells of a swarm without a leader. @param managers `address:port` of those that do not answer */
export async function examineHost({ docker, session }: ExaminedHost, managers: readonly string[]): Promise<Examined> {
  const { DockerRootDir: root } = await docker.get<{ readonly DockerRootDir: string }>("/info");
  const [{ open, log, started, locked }, containers] = await Promise.all([
    session.script<Found>(script, { ROOT: root, PEERS: managers.join("\n") }, { verb: "look", timeout }),
    docker.get<readonly { readonly Labels?: Readonly<Record<string, string>> }[]>(`/containers/json?filters=${encodeURIComponent(ofServices)}`),
  ]);
  const running: Record<string, number> = {};
  for (const { Labels: labels } of containers) {
    const service = labels?.["com.docker.swarm.service.name"];
    if (service !== undefined) running[service] = (running[service] ?? 0) + 1;
  }
  return { open, running, locked, ...(log && { log }), ...addressesOf(started) };
}

const ofServices = JSON.stringify({ label: ["com.docker.swarm.service.name"], status: ["running"] });

/** The engine adds ports; a request has none where the port is Docker's own. */
function addressesOf(started: Found["started"]): Pick<Examined, "addresses"> {
  const {
    ListenAddr: listenAddress = "",
    AdvertiseAddr: advertised = "",
    DataPathAddr: dataPathAddress = "",
    DataPathPort: port = 0,
  } = started ?? {};
  if (listenAddress === "" || advertised === "") return {};
  const advertiseAddress = advertised.replace(/:2377$/, "");
  return {
    addresses: { listenAddress, advertiseAddress, dataPathAddress: dataPathAddress || advertiseAddress, ...(port > 0 && { dataPathPort: port }) },
  };
}
