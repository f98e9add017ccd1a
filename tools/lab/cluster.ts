import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection } from "../../components/remote/connection";
import { SshSession } from "../../components/remote/ssh";
import { root } from "./pulumi";

export interface LocalStackOutputs {
  readonly dockerHost: string;
  readonly swarmId: string;
  readonly hosts: Readonly<Record<string, { readonly role: string; readonly address: string; readonly nodeId: string }>>;
  readonly networks: Readonly<Record<string, { readonly id: string; readonly subnet: string }>>;
  readonly connections: Readonly<Record<string, Connection>>;
}

/** A small image of busybox, put on hosts that reach no registry. */
export const testImage = "pulumi-swarm-busybox:1";

/** Commands on the hosts of a cluster, as its operator would type them. */
export class ClusterShell {
  private readonly sessions = new Map<string, Promise<SshSession>>();

  constructor(private readonly connections: Readonly<Record<string, Connection>>) {}

  get keys(): string[] {
    return Object.keys(this.connections);
  }

  private session(key: string): Promise<SshSession> {
    const connection = this.connections[key];
    if (!connection) throw new Error(`no host ${key}`);
    const open = this.sessions.get(key) ?? SshSession.open(key, connection);
    this.sessions.set(key, open);
    return open;
  }

  /** @returns standard output; rejects with everything that was printed when the command fails. */
  async on(key: string, command: string, stdin = "", timeout = 60_000): Promise<string> {
    const result = await (await this.session(key)).run(command, { stdin, timeout });
    if (result.code !== 0) throw new Error(`${key}: ${command}: exit code ${result.code}: ${result.stdout}${result.stderr}`);
    return result.stdout.trim();
  }

  async putTestImage(keys: readonly string[] = this.keys): Promise<void> {
    const tar = readFileSync(join(root, ".lab", "busybox.tar")).toString("base64");
    await Promise.all(
      keys.map(async (key) => {
        // Asked first: a command that ends without reading so much input takes its exit status with it.
        const there = await this.on(key, `docker image inspect ${testImage} >/dev/null 2>&1 && echo there || true`);
        if (there === "") await this.on(key, `base64 -d | docker import - ${testImage}`, tar);
      }),
    );
  }

  close(): void {
    for (const session of this.sessions.values())
      session.then(
        (open) => open.close(),
        () => {},
      );
  }
}

/** Waits for a condition, and says what was seen when the limit is hit. @param every milliseconds between two looks */
export async function eventually<T>(what: string, limitSeconds: number, look: () => Promise<T | undefined>, every = 250): Promise<T> {
  const until = Date.now() + limitSeconds * 1000;
  let seen = "nothing";
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      seen = (error as Error).message;
    }
    if (Date.now() > until) throw new Error(`${what}: not within ${limitSeconds} s; seen last: ${seen}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

/** A service on the last host, asked by its name from a container on the first one. @returns what it answered. */
export async function proveByName(shell: ClusterShell, first: string, last: string, network: string): Promise<string> {
  const service = "pulumi-swarm-proof";
  const answer = `hello from ${last}`;
  await shell.putTestImage([first, last]);
  await shell.on(first, `docker service rm ${service} >/dev/null 2>&1 || true`);
  await shell.on(
    first,
    `docker service create --detach --quiet --no-resolve-image --name ${service} --endpoint-mode dnsrr --network ${network} ` +
      `--constraint node.labels.pulumi-swarm.host==${last} ${testImage} ` +
      `/bin/busybox sh -c 'mkdir -p /www && echo ${answer} > /www/index.html && exec /bin/busybox httpd -f -p 80 -h /www'`,
  );
  try {
    return await eventually(`${service} answers by name`, 60, async () => {
      // Debian's static busybox crashes in wget, so HTTP is spoken by hand.
      const ask = `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 3 ${service} 80`;
      const text = await shell.on(first, `docker run --rm --network ${network} ${testImage} /bin/busybox sh -c "${ask}"`);
      return text.includes(answer) ? answer : undefined;
    });
  } finally {
    await shell.on(first, `docker service rm ${service} >/dev/null 2>&1 || true`);
  }
}
