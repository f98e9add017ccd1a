import { credentials } from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

const SEVERITIES = { info: LogSeverity.INFO, warning: LogSeverity.WARNING } as const;

/** Lines for the engine's display, in the order in which they were written. */
export class EngineLog {
  private readonly client: EngineClient | undefined;
  private pending: Promise<void> = Promise.resolve();

  constructor(address: string | undefined) {
    this.client = address === undefined ? undefined : new EngineClient(address, credentials.createInsecure());
  }

  /** @param ephemeral Only for as long as the operation lasts. */
  write(severity: keyof typeof SEVERITIES, message: string, urn: string, ephemeral = false): void {
    const request = new LogRequest();
    request.setSeverity(SEVERITIES[severity]);
    request.setMessage(message);
    request.setUrn(urn);
    request.setEphemeral(ephemeral);
    this.pending = this.pending.then(() => this.send(request));
  }

  /** An operation waits for its lines, else the last ones arrive after its result and are not shown. */
  flush(): Promise<void> {
    return this.pending;
  }

  private send(request: LogRequest): Promise<void> {
    const { client } = this;
    if (client === undefined) return Promise.resolve();
    // A line that cannot be shown must not fail the operation that wrote it.
    return new Promise((resolve) => client.log(request, () => resolve()));
  }
}
