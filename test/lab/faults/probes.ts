import { readFileSync } from "node:fs";
import { eventually, testImage } from "../../../tools/lab/cluster";
import { type FaultCluster, keyOf, type Name, names } from "./cluster";

/*
 * On each host a container that asks the one on the next host by its name, five times a second, all the while. What it saw is kept on
 * the host, so that a task that started anew goes on with it. All containers tell the time by the machine's one uptime.
 */

const log = "/var/lib/docker/volumes/probes/_data/answers";
const service = (name: Name): string => `probe-${name}`;

/** Whom a host's probe asks. */
export function nextOf(name: Name): Name {
  return names[(names.indexOf(name) + 1) % names.length] ?? name;
}

export async function startProbes(cluster: FaultCluster): Promise<void> {
  const there = (await cluster.ask("docker service ls --format '{{.Name}}'")).split("\n");
  for (const name of names.filter((each) => !there.includes(service(each)))) {
    const ask = `ping -c 1 -W 1 ${service(nextOf(name))} >/dev/null 2>&1 && read up _ </proc/uptime && echo "$up" >>/probes/answers`;
    const options = [
      `--name ${service(name)} --endpoint-mode dnsrr --network web --stop-signal KILL --restart-delay 1s`,
      `--constraint node.labels.pulumi-swarm.host==${keyOf(name)} --mount type=volume,src=probes,dst=/probes`,
    ];
    const command = `/bin/busybox sh -c 'while :; do ${ask}; sleep 0.2; done'`;
    await cluster.ask(`docker service create --detach --quiet --no-resolve-image ${options.join(" ")} ${testImage} ${command}`);
  }
  await everybodyAnswers(cluster);
}

/** Seconds since the machine started. */
export function uptime(): number {
  return Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
}

/** Each container reaches each other by name. */
export async function everybodyAnswers(cluster: FaultCluster): Promise<void> {
  await Promise.all(
    cluster.members.map((from) =>
      eventually(`the container on ${keyOf(from)} reaches all others by name`, 90, async () => {
        const id = await cluster.on(from, `docker ps -q --filter label=com.docker.swarm.service.name=${service(from)}`);
        if (!/^[0-9a-f]{12}$/.test(id)) throw new Error(`its tasks: ${id || "none"}; ${await tasks(cluster, from)}`);
        const others = cluster.members.filter((name) => name !== from).map(service);
        const ask = `for name in ${others.join(" ")}; do ping -c 1 -W 2 $name >/dev/null 2>&1 || echo $name; done`;
        const silent = await cluster.on(from, `docker exec ${id} /bin/busybox sh -c '${ask}'`);
        if (silent !== "") throw new Error(`no answer from ${silent.split("\n").join(", ")}`);
        return true;
      }),
    ),
  );
}

function tasks(cluster: FaultCluster, name: Name): Promise<string> {
  return cluster.ask(`docker service ps ${service(name)} --no-trunc --format '{{.CurrentState}} {{.Error}}' | head -n 3`);
}

/** The longest time without an answer since `start`, of the hosts to which nothing was done. */
export async function longestGap(cluster: FaultCluster, start: number, untouched: (name: Name) => boolean): Promise<string> {
  const end = uptime();
  const gaps = cluster.ring
    .filter(([from, to]) => untouched(from) && untouched(to) && cluster.members.includes(from) && cluster.members.includes(to))
    .map(async ([from, to]) => {
      const seen = (await cluster.on(from, `cat ${log}`)).split("\n").map(Number);
      const within = [start, ...seen.filter((time) => time > start && time < end), end];
      const gap = Math.max(...within.slice(1).map((time, index) => time - (within[index] ?? time)));
      return { gap, pair: `${from}-${to}` };
    });
  const [longest] = (await Promise.all(gaps)).sort((one, other) => other.gap - one.gap);
  return longest === undefined ? "–" : `${longest.gap.toFixed(1)} s ${longest.pair}`;
}

/** So that what is read stays small. */
export async function forgetAnswers(cluster: FaultCluster): Promise<void> {
  await Promise.all(cluster.members.map((name) => cluster.on(name, `: >${log} || true`)));
}
