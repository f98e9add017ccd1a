import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer as createProxy, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { root, run } from "./pulumi";

/*
 * A host of git repositories as programs know them: by its name, on port 443, over HTTPS, with git's own program behind it. It needs neither
 * the name nor the port, since programs come to it by a proxy.
 */

export interface GitHost {
  /** With which a program reaches the host, and everything else as before. */
  readonly env: NodeJS.ProcessEnv;
  close(): void;
}

/**
 * Serves all bare repositories below a folder.
 *
 * @param keys A folder for the host's key and certificate.
 */
export async function gitHost(name: string, repositories: string, keys: string): Promise<GitHost> {
  const [key, certificate] = [join(keys, "host.key"), join(keys, "host.crt")];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  await must("openssl", ["req", ...kind, "-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`, "-keyout", key, "-out", certificate]);
  const host = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) =>
    answer(repositories, request, response),
  );
  const proxy = createProxy().on("connect", ({ url = "" }: IncomingMessage, client) => {
    const [server = "", port = "443"] = url.split(":");
    client.on("error", () => client.destroy());
    if (server === name) {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      host.emit("connection", client);
      return;
    }
    const onward = connect(Number(port), server, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      client.pipe(onward).pipe(client);
    });
    onward.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    env: { HTTPS_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, SSL_CERT_FILE: certificate },
    close: () => {
      proxy.closeAllConnections();
      proxy.close();
      host.closeAllConnections();
      host.close();
    },
  };
}

/** By the program that git has for it, which speaks CGI. */
function answer(repositories: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? "/", "https://host");
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: repositories,
      GIT_HTTP_EXPORT_ALL: "1",
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname,
      QUERY_STRING: searchParams.toString(),
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
    },
  });
  child.stdin.on("error", () => {});
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.on("close", () => {
    const whole = Buffer.concat(chunks);
    const end = whole.indexOf("\r\n\r\n");
    const { Status = "200", ...headers } = Object.fromEntries(
      whole
        .subarray(0, end)
        .toString()
        .split("\r\n")
        .map((line) => line.split(": ")),
    ) as Record<string, string>;
    response.writeHead(Number.parseInt(Status, 10), headers).end(whole.subarray(end + 4));
  });
}

/** Puts this checkout as it is now, committed or not, into a new bare repository under tags. */
export async function publishCheckout(repository: string, tags: readonly string[]): Promise<void> {
  await must("git", ["init", "--quiet", "--bare", "--initial-branch", "main", repository]);
  const person = (who: string): NodeJS.ProcessEnv => ({ [`GIT_${who}_NAME`]: "test", [`GIT_${who}_EMAIL`]: "test@example.org" });
  const env = {
    ...process.env,
    ...person("AUTHOR"),
    ...person("COMMITTER"),
    GIT_DIR: repository,
    GIT_WORK_TREE: root,
    GIT_INDEX_FILE: join(repository, "checkout"),
  };
  await must("git", ["add", "--all"], env);
  const commit = await must("git", ["commit-tree", "-m", "The checkout", await must("git", ["write-tree"], env)], env);
  for (const ref of ["refs/heads/main", ...tags.map((tag) => `refs/tags/${tag}`)]) await must("git", ["update-ref", ref, commit], env);
}

async function must(command: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, { ...(env && { env }) });
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
  return stdout.trim();
}
