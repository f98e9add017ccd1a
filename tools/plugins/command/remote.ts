import type { Client, ClientChannel } from "ssh2";
import { text } from "../shared/properties";
import { commandResource } from "./command";
import { givenEnvironment, OutputCollector, type Ending, type Runner } from "./run";
import { overSsh } from "./ssh";

export const remoteCommand = commandResource({
  inputs: ["connection"],
  required: ["connection"],
  refused: [],
  runner: runThere(),
});

function runThere(): Runner {
  return (command, inputs, previous, output, context) =>
    overSsh(inputs, context, async (client) => {
      const environment = givenEnvironment(inputs);
      await requireAccepted(client, environment);
      const ending = execute(client, command, { ...environment, ...previous }, text(inputs, "stdin") ?? "", output);
      const stop = (): void => void client.destroy();
      context.signal.addEventListener("abort", stop);
      try {
        return await ending;
      } finally {
        context.signal.removeEventListener("abort", stop);
      }
    });
}

/**
 * ssh2 does not ask the server whether it took a variable, and sshd drops what AcceptEnv does not name without a word.
 * The real plugin fails there, so the variables are looked for in a session of their own.
 */
async function requireAccepted(client: Client, environment: Record<string, string>): Promise<void> {
  const names = Object.keys(environment);
  if (names.length === 0) return;
  const seen = new OutputCollector(() => undefined);
  await execute(client, "env", environment, "", seen);
  const missing = names.filter((name) => !`\n${seen.stdout}`.includes(`\n${name}=`));
  if (missing.length > 0) {
    throw new Error(`environment: the server did not accept ${missing.join(", ")}; name them in sshd's AcceptEnv or set them in the command`);
  }
}

function execute(client: Client, command: string, env: Record<string, string>, stdin: string, output: OutputCollector): Promise<Ending> {
  return new Promise((resolve, reject) => {
    client.once("close", () => resolve({ failure: "the connection was lost" }));
    client.exec(command, { env }, (error: Error | undefined, channel: ClientChannel) => {
      if (error) return reject(error);
      let ending: Ending = { failure: "wait: remote command exited without exit status or exit signal" };
      channel.on("data", (data: Buffer) => output.add("stdout", data));
      channel.stderr.on("data", (data: Buffer) => output.add("stderr", data));
      channel.on("exit", (status: number | null, signal?: string) => {
        if (status === 0) ending = {};
        else ending = { failure: status === null ? `Process exited with signal ${signal}` : `Process exited with status ${status}` };
      });
      channel.on("close", () => resolve(ending));
      channel.on("error", () => undefined);
      channel.end(stdin);
    });
  });
}
