import { type ClusterShell, testImage } from "./cluster";
import { docker } from "./machines";

/** How often a service was asked, and when it did not answer. */
export interface Answers {
  readonly asked: number;
  /** Times of day. */
  readonly lost: readonly string[];
}

/**
 * Asks a service by its name, five times a second, from a container on a host of the cluster: without the ingress mesh and without
 * virtual addresses, so that each try goes to the task that the name stands for just then.
 *
 * @returns what ends it and tells how it went.
 */
export async function keepAsking(shell: ClusterShell, host: string, network: string, service: string): Promise<() => Promise<Answers>> {
  const name = `asking-${service}`;
  // Debian's static busybox crashes in wget, so HTTP is spoken by hand.
  const once = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 ${service} 80 | grep -q hello && echo ok || echo lost $(date +%T)`;
  await shell.putTestImage([host]);
  await shell.on(
    host,
    `docker run -d --name ${name} --network ${network} ${testImage} /bin/busybox sh -c "while :; do ${once.replaceAll("$", "\\$")}; sleep 0.2; done"`,
  );
  return async () => {
    const lines = (await shell.on(host, `docker logs ${name}; docker rm -f ${name} >/dev/null`)).split("\n");
    return { asked: lines.length, lost: lines.filter((line) => line.startsWith("lost")).map((line) => line.slice("lost ".length)) };
  };
}

/** A service of several tasks without a virtual address, each of which answers "hello". */
export async function answeringService(shell: ClusterShell, on: string, network: string, name: string, replicas: number): Promise<void> {
  await shell.putTestImage();
  // It gives its tasks a moment to end what they began: a client that has just looked the name up still finds them.
  const options = `--endpoint-mode dnsrr --replicas ${replicas} --stop-grace-period 3s --stop-signal SIGCONT --network ${network}`;
  await shell.on(
    on,
    `docker service create --detach --quiet --no-resolve-image --name ${name} ${options} ${testImage} ` +
      `/bin/busybox sh -c 'mkdir -p /www && echo hello > /www/index.html && exec /bin/busybox httpd -f -p 80 -h /www'`,
  );
}

/** What the managers said of the nodes, again and again. */
export interface Watched {
  readonly looks: number;
  /** Looks at which no manager answered. */
  readonly without: number;
  /** Hosts that were away or drained at the same time, where it was more than one. */
  readonly together: readonly string[];
}

/** Each node as a line: the host's key, its state, its availability and what a manager is to the others. */
export const listNodes =
  `docker node inspect $(docker node ls -q) --format '{{index .Spec.Labels "pulumi-swarm.host"}} {{.Status.State}} {{.Spec.Availability}}` +
  "{{with .ManagerStatus}} {{.Reachability}}{{end}}'";

/** Looks at the nodes once a second by whichever of the managers' containers answers. */
export function watchNodes(managers: readonly string[]): () => Promise<Watched> {
  const seen = { looks: 0, without: 0, together: [] as string[] };
  let going = true;
  const look = async (): Promise<void> => {
    const asked = managers.map((manager) => docker("exec", manager, "timeout", "25", "sh", "-ec", listNodes));
    const said = await Promise.any(asked).catch(() => undefined);
    seen.looks += 1;
    if (said === undefined) {
      seen.without += 1;
      return;
    }
    // A new leader knows of nobody at first whether he is there.
    const away = said.split("\n").filter((line) => / (down|drain)\b/.test(line));
    if (away.length > 1) seen.together.push(away.join(", "));
  };
  const run = (async () => {
    while (going) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
  })();
  return async () => {
    going = false;
    await run;
    return seen;
  };
}
