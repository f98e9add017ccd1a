import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type * as Grpc from "@grpc/grpc-js";
import type * as Messages from "@pulumi/pulumi/proto/engine_pb";
import type * as Service from "@pulumi/pulumi/proto/engine_grpc_pb";

/*
 * The plugin that runs our programs logs every line of them as a passing status (pulumi-command, provider/pkg/provider/util/util.go: LogOutput
 * calls InfoStatus), and the engine shows none of these at the end (pulumi, pkg/backend/display/progress.go: printDiagnostics leaves out what is
 * Ephemeral). It has no other way to say something but to fail. So a program that undoes something asks the engine by itself, as a
 * plugin would: the engine gives each plugin its address as the last argument (sdk/go/common/resource/plugin/provider_plugin.go: NewProvider),
 * and the plugin is the parent of this process.
 */

/** For all lines together: a destroy must not be held up by what is only told. */
const limit = 5_000;

/** The engine's address among the arguments of one of its plugins. It listens on this machine alone. */
export function engineAddress(args: readonly string[]): string | undefined {
  return [...args].reverse().find((argument) => /^(127\.0\.0\.1|\[::1\]|localhost):\d{1,5}$/.test(argument));
}

/**
 * Logs warnings with Pulumi's engine, which shows them at the end, under "Diagnostics".
 *
 * @returns whether it has them all. What is told is no reason to fail.
 */
export async function logByEngine(lines: readonly string[], address: string | undefined = addressHere()): Promise<boolean> {
  if (lines.length === 0) return true;
  if (address === undefined) return false;
  try {
    const { grpc, service, messages } = loadProtocol();
    const client = new service.EngineClient(address, grpc.credentials.createInsecure());
    const deadline = new Date(Date.now() + limit);
    try {
      for (const line of lines) {
        const request = new messages.LogRequest();
        request.setSeverity(messages.LogSeverity.WARNING);
        request.setMessage(line);
        await new Promise<void>((resolve, reject) => {
          client.log(request, new grpc.Metadata(), { deadline }, (error) => (error ? reject(error) : resolve()));
        });
      }
    } finally {
      client.close();
    }
    return true;
  } catch {
    return false;
  }
}

/** Slow to load, and mostly not needed. What speaks gRPC is a dependency of the SDK, and not of this package. */
function loadProtocol(): { readonly grpc: typeof Grpc; readonly service: typeof Service; readonly messages: typeof Messages } {
  const fromHere = createRequire(__filename);
  const fromSdk = createRequire(fromHere.resolve("@pulumi/pulumi"));
  return {
    grpc: fromSdk("@grpc/grpc-js") as typeof Grpc,
    service: fromHere("@pulumi/pulumi/proto/engine_grpc_pb") as typeof Service,
    messages: fromHere("@pulumi/pulumi/proto/engine_pb") as typeof Messages,
  };
}

function addressHere(): string | undefined {
  try {
    return engineAddress(parentArguments());
  } catch {
    return undefined;
  }
}

function parentArguments(): readonly string[] {
  if (process.platform === "linux") return readFileSync(`/proc/${process.ppid}/cmdline`, "utf8").split("\0").filter(Boolean);
  return execFileSync("ps", ["-o", "args=", "-p", String(process.ppid)], { encoding: "utf8", timeout: limit })
    .trim()
    .split(/\s+/);
}
