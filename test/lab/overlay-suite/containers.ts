import assert from "node:assert/strict";
import { eventually, testImage } from "../../../tools/lab/cluster";
import { get } from "../../../tools/lab/scan";
import { managers, type Name, published, type SuiteCluster } from "./cluster";

/** Containers of no service, one of each network on each host, and one service with a task on each host. */

/** Name of the one in this network; others find it as `web-c1`. */
const containerIn = (network: string): string => `probe-${network}`;

/** Makes it anew, or for the first time. @returns its address */
export async function place(cluster: SuiteCluster, name: Name, network = "web"): Promise<string> {
  const container = containerIn(network);
  const options = `--detach --init --restart always --name ${container} --network ${network} --network-alias ${network}-${name}`;
  // A worker knows a network when the swarm has told it.
  await eventually(`a container on ${name}`, 60, () =>
    cluster.on(name, `docker rm -f ${container} >/dev/null 2>&1 || true; docker run ${options} ${testImage} /bin/busybox sleep 1000000`),
  );
  return addressOf(cluster, name, network);
}

export function addressOf(cluster: SuiteCluster, name: Name, network = "web"): Promise<string> {
  const format = `{{(index .NetworkSettings.Networks "${network}").IPAddress}}`;
  return cluster.on(name, `docker inspect --format '${format}' ${containerIn(network)}`);
}

export async function removeContainers(cluster: SuiteCluster, name: Name, network = "web"): Promise<void> {
  await cluster.on(name, `docker rm -f ${containerIn(network)} >/dev/null`);
}

/** Programs of the host in the container's network, as `ping`. */
export function within(cluster: SuiteCluster, name: Name, command: string, network = "web"): Promise<string> {
  return cluster.on(name, `nsenter -t "$(docker inspect --format '{{.State.Pid}}' ${containerIn(network)})" -n ${command}`);
}

/** A shell of the container itself, which asks Docker for names. */
export function inside(cluster: SuiteCluster, name: Name, script: string, network = "web"): Promise<string> {
  return cluster.on(name, `docker exec ${containerIn(network)} /bin/busybox sh -c '${script}'`);
}

/** Whether one of three packets is answered. @param options further ones of `ping` */
export async function reaches(cluster: SuiteCluster, from: Name, address: string, network = "web", options = ""): Promise<boolean> {
  const said = await within(cluster, from, `ping -n -q -c 3 -i 0.2 -W 1 ${options} ${address} || true`, network);
  const answers = /, (\d+) received/.exec(said)?.[1] ?? assert.fail(said);
  return answers !== "0";
}

export async function startService(cluster: SuiteCluster): Promise<void> {
  const mode = cluster.overlay.services === "dnsrr" ? "--endpoint-mode dnsrr" : "";
  const options = `--detach --quiet --no-resolve-image --name everywhere --mode global ${mode} --network web --stop-signal KILL`;
  const publish = cluster.overlay.publishes ? `--publish mode=host,published=${published},target=80` : "";
  const serve = "mkdir -p /www && echo hello from $HOST > /www/index.html && exec /bin/busybox httpd -f -p 80 -h /www";
  const create = `docker service create ${options} ${publish} --env HOST={{.Node.Hostname}}`;
  await cluster.on("c1", `${create} ${testImage} /bin/busybox sh -c '${serve}'`);
}

/** HTTP is spoken by hand: Debian's static busybox crashes in wget. */
const askAll = String.raw`for at in $(nslookup -type=a everywhere | sed -n "s/^Address: //p"); do printf "GET / HTTP/1.0\r\n\r\n" | nc -w 3 $at 80 | grep hello; done`;

/** A container on each of the hosts finds the service by its name, and each of its tasks answers; also from outside, where it is published. */
export async function everywhere(cluster: SuiteCluster, seconds = 90): Promise<void> {
  const all = cluster.members.map((name) => `hello from ${cluster.host(name).machine}`).sort();
  await Promise.all(
    cluster.members.map(async (name) => {
      await eventually(`all tasks answer a container on ${name}`, seconds, async () => {
        const heard = (await inside(cluster, name, askAll)).split("\n").sort();
        assert.deepEqual(heard, all);
        return true;
      }).catch(async (error: Error) => {
        const known = "docker network inspect --verbose --format '{{json .Peers}} {{json .Services}}' web";
        throw new Error(`${error.message}\nWhat Docker knows there: ${await cluster.on(name, known)}\non c1: ${await cluster.on("c1", known)}`);
      });
      if (cluster.overlay.publishes) await servesOutside(cluster, name);
    }),
  );
}

async function servesOutside(cluster: SuiteCluster, name: Name): Promise<void> {
  await eventually(`the service is published on ${name}`, 60, async () => {
    const page = await get(await cluster.sites.network("outsider"), cluster.host(name).address, published);
    return page?.includes(`hello from ${cluster.host(name).machine}`) ? true : undefined;
  });
}

/** Hosts that were away have their tasks again, and their containers, for which a person may have to care. */
export async function areWhole(cluster: SuiteCluster, ...names: readonly Name[]): Promise<void> {
  await Promise.all(names.map((name) => isBack(cluster, name)));
  await everywhere(cluster);
  for (const name of names) {
    const address = await addressOf(cluster, name);
    for (const other of managers.filter((each) => each !== name)) {
      await eventually(`${other} reaches ${name}`, 30, async () => ((await reaches(cluster, other, address)) ? true : undefined));
    }
    assert.ok(await reaches(cluster, name, cluster.sites.onlookerAddress("outsider", cluster.host(name).site)), `containers of ${name} get out`);
  }
}

async function isBack(cluster: SuiteCluster, name: Name): Promise<void> {
  const state = await eventually(`Docker has decided on the container on ${name}`, 60, async () => {
    const found = await cluster.on(name, "docker inspect --format '{{.State.Status}} {{.State.Error}}' probe-web");
    return /^(running|exited)/.test(found) ? found.trim() : undefined;
  });
  if (state === "running") return;
  // Docker gives a container up when no manager answers within 20 seconds of its start, as where the machine is busy.
  const expected = !cluster.overlay.restarts || state.includes("context deadline exceeded");
  assert.ok(expected, `the container on ${name} is not back by itself: ${state}`);
  await place(cluster, name);
}

/** All containers on a network have addresses of their own. */
export async function noAddressTwice(cluster: SuiteCluster): Promise<void> {
  const format = "{{with .NetworkSettings.Networks.web}}{{.IPAddress}}{{end}}";
  const lists = cluster.members.map((name) => cluster.on(name, `docker ps -q | xargs docker inspect --format '${format}'`));
  const addresses = (await Promise.all(lists)).flatMap((text) => text.split("\n")).filter(Boolean);
  // A container and a task of the service on each host.
  assert.equal(addresses.length, 2 * cluster.members.length, addresses.join(" "));
  assert.deepEqual([...new Set(addresses)], addresses, "no address twice");
}
