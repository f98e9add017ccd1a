import { type Finding, known, type Row, type SeenPart, type StatusPart, upAgain } from "../../health";
import { loadScript } from "../../remote/script";
import { apartIn, parseConnection } from "./connections";

/** One host's router, as `status.sh` tells it. */
export interface RouterState {
  readonly unit: string;
  /** By which the others list it. It draws another one after each boot. */
  readonly name: string;
  /** Its control interface. */
  readonly answers: boolean;
  readonly connections: readonly string[];
}

/** Weave's routers: each is connected to each other one. */
export const weaveStatus: StatusPart<RouterState> = {
  name: "Weave",
  key: "weave",
  script: loadScript(__dirname, "status.sh"),
  values: () => ({}),
  kinds: {
    "weave-router": "a host's Weave router does not run, so its containers reach no other host",
    "weave-connection": "two Weave routers are not connected, so that nothing passes between their containers",
  },
  rows: (seen) =>
    seen.map((host): Row => {
      const { key, answer } = host;
      if (answer === undefined || typeof answer === "string") return { host: key, says: answer ?? "not seen" };
      if (!answer.answers) return { host: key, says: `its router does not answer (its unit is ${answer.unit})` };
      const list = answer.connections.flatMap((line) => parseConnection(line) ?? []);
      const established = list.filter(({ state }) => state === "established");
      const ways = [...new Set(established.map(({ info }) => info.split(" ")[0] ?? ""))].sort().join(" and ");
      return { host: key, says: `connected to ${established.length} of ${seen.length - 1} routers${ways === "" ? "" : ` (${ways})`}` };
    }),
  findings: (seen) => [...stopped(seen), ...apart(seen)],
};

function stopped(seen: readonly SeenPart<RouterState>[]): Finding[] {
  return known(seen)
    .filter(({ answer }) => !answer.answers)
    .map(({ key, answer: { unit } }) => ({
      kind: "weave-router",
      severity: "broken",
      hosts: [key],
      text: `${key}: Weave's router does not answer, so containers there reach no other host`,
      detail: `its unit is ${unit}`,
      fix: `run "systemctl restart pulumi-swarm-weave" on ${key}; "journalctl -u pulumi-swarm-weave" there says why it stopped; if that fails, ${upAgain}`,
      drift: true,
    }));
}

/** Only between routers that run: what is not connected to one that does not is no other fault. */
function apart(seen: readonly SeenPart<RouterState>[]): Finding[] {
  const running = known(seen).filter(({ answer }) => answer.answers);
  const routers = running.map(({ key, address, answer: { name } }) => ({ key, name, address }));
  const lists = new Map(running.map(({ key, answer: { connections } }) => [key, connections.flatMap((line) => parseConnection(line) ?? [])]));
  return apartIn(routers, lists).map(({ host, peers, why }) => ({
    kind: "weave-connection",
    severity: "broken",
    hosts: [host],
    text: `${host}: Weave's router is not connected to ${peers.length === 1 ? "that" : "those"} of ${peers.join(", ")}, so nothing passes between their containers`,
    detail: why,
    ...(/password/.test(why)
      ? { fix: upAgain, drift: true as const }
      : { fix: `see whether 6783/tcp and 6783-6784/udp pass between ${host} and ${peers.join(", ")}; if they do, ${upAgain}` }),
  }));
}
