import * as grpc from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { EngineLog } from "./engine-log";
import { NotFinished, typeOf, type Context, type Diff, type Plugin, type ResourceType } from "./plugin";
import { schemaOf } from "./schema";
import { changedNames, revealProps, UNKNOWN, withoutUndefined, type Props } from "./values";

// gRPC's own limit of 4 MB is small for states that hold uploaded files.
const MAXIMUM_MESSAGE_BYTES = 400 * 1024 * 1024;
// An error travels in an HTTP/2 header block, which Node limits to 64 kB, and each line break in it takes three bytes.
const MAXIMUM_ERROR_CHARACTERS = 16_000;

/** Enough for operations that were just aborted to answer. */
const LAST_ANSWERS_MILLISECONDS = 500;

/**
 * Serves the plugin to the engine that started this process, and prints the port as the engine expects.
 *
 * `provider.main` of `@pulumi/pulumi` would do but for three things that the real plugins have: provider configuration, outputs
 * that are known during a preview, and `customTimeouts`.
 */
export async function serve(plugin: Plugin, args: readonly string[]): Promise<void> {
  const server = new grpc.Server({
    "grpc.max_receive_message_length": MAXIMUM_MESSAGE_BYTES,
    "grpc.max_send_message_length": MAXIMUM_MESSAGE_BYTES,
  });
  server.addService(ResourceProviderService, new Handlers(plugin, new EngineLog(engineAddress(args))).table());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  process.stdout.write(`${port}\n`);
}

/** The one positional argument; the engine may put logging and tracing options before it. */
function engineAddress(args: readonly string[]): string | undefined {
  return args.find((argument, index) => !argument.startsWith("-") && args[index - 1] !== "--tracing");
}

interface Answer<T> {
  (error: grpc.ServiceError | { code: grpc.status; details: string } | null, value?: T): void;
}

class Handlers {
  private readonly running = new Set<AbortController>();

  constructor(
    private readonly plugin: Plugin,
    private readonly log: EngineLog,
  ) {
    // The engine cancels by a call; with a signal it only ends a plugin it no longer needs, and waits five seconds for it.
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => this.stop(signal));
  }

  table(): grpc.UntypedServiceImplementation {
    return {
      getPluginInfo: answering(async () => {
        const info = new PluginInfo();
        info.setVersion(this.plugin.version);
        return info;
      }),
      getSchema: answering(async () => {
        const response = new messages.GetSchemaResponse();
        response.setSchema(JSON.stringify(schemaOf(this.plugin)));
        return response;
      }),
      checkConfig: answering((request: messages.CheckRequest) => this.checkConfig(request)),
      diffConfig: answering((request: messages.DiffRequest) => this.diffConfig(request)),
      configure: answering((request: messages.ConfigureRequest) => this.configure(request)),
      cancel: answering(async () => {
        this.abortAll("cancelled");
        return new Empty();
      }),
      invoke: answering((request: messages.InvokeRequest) => this.invoke(request)),
      check: answering((request: messages.CheckRequest) => this.check(request)),
      diff: answering((request: messages.DiffRequest) => this.diff(request)),
      create: answering((request: messages.CreateRequest) => this.create(request)),
      update: answering((request: messages.UpdateRequest) => this.update(request)),
      read: answering((request: messages.ReadRequest) => this.read(request)),
      delete: answering((request: messages.DeleteRequest) => this.delete(request)),
    };
  }

  private resource(urn: string): ResourceType {
    const resource = this.plugin.resources[typeOf(urn)];
    if (resource !== undefined) return resource;
    const known = Object.keys(this.plugin.resources).join(", ");
    throw new Error(`${typeOf(urn)}: not among the resources of this stand-in plugin, which has ${known}`);
  }

  private async checkConfig(request: messages.CheckRequest) {
    const response = new messages.CheckResponse();
    const news = fromStruct(request.getNews());
    response.setInputs(toStruct(news));
    const unknown = Object.keys(news).filter((name) => !["version", "pluginDownloadURL", ...this.plugin.config].includes(name));
    response.setFailuresList(
      unknown.map((name) => failure(name, `this stand-in plugin only takes ${this.plugin.config.join(", ") || "no configuration"}`)),
    );
    return response;
  }

  private async diffConfig(request: messages.DiffRequest) {
    const [olds, news] = [fromStruct(request.getOldInputs() ?? request.getOlds()), fromStruct(request.getNews())];
    return diffResponse({ changed: changedNames(this.plugin.config, olds, news), replaces: [], deleteBeforeReplace: false });
  }

  private async configure(request: messages.ConfigureRequest) {
    this.plugin.configure?.(fromStruct(request.getArgs()));
    const response = new messages.ConfigureResponse();
    response.setAcceptsecrets(true);
    response.setSupportspreview(true);
    return response;
  }

  private async invoke(request: messages.InvokeRequest) {
    const call = this.plugin.functions?.[request.getTok()];
    if (call === undefined) throw new Error(`${request.getTok()}: not among the functions of this stand-in plugin`);
    const response = new messages.InvokeResponse();
    response.setReturn(toStruct(call(revealProps(fromStruct(request.getArgs())))));
    return response;
  }

  private async check(request: messages.CheckRequest) {
    const resource = this.resource(request.getUrn());
    const [olds, news] = [fromStruct(request.getOlds()), fromStruct(request.getNews())];
    const response = new messages.CheckResponse();
    for (const warning of resource.warnings?.(news) ?? []) this.log.write("warning", warning, request.getUrn());
    await this.log.flush();
    response.setInputs(toStruct(resource.complete?.(news, olds, request.getUrn()) ?? news));
    const given = Object.keys(news).filter((name) => name !== "__defaults" && news[name] !== null);
    response.setFailuresList([
      ...given.filter((name) => resource.refused.includes(name)).map((name) => failure(name, "left out of this stand-in plugin; use the real one")),
      ...given
        .filter((name) => !resource.inputs.includes(name) && !resource.refused.includes(name))
        .map((name) => this.unknownProperty(request.getUrn(), resource, name)),
      ...resource.required.filter((name) => !given.includes(name)).map((name) => failure(name, "required, and not given")),
      ...(resource.mistakes?.(news) ?? []).map(({ property, reason }) => failure(property, reason)),
    ]);
    return response;
  }

  private unknownProperty(urn: string, resource: ResourceType, name: string): messages.CheckFailure {
    const words = this.plugin.unknownProperty?.(typeOf(urn), name);
    if (words === undefined) return failure(name, `no such property; expected one of ${resource.inputs.join(", ")}`);
    const result = new messages.CheckFailure();
    result.setProperty(name);
    result.setReason(words);
    return result;
  }

  private async diff(request: messages.DiffRequest) {
    const state = fromStruct(request.getOlds());
    const olds = request.hasOldInputs() ? fromStruct(request.getOldInputs()) : state;
    const news = withIgnored(fromStruct(request.getNews()), olds, request.getIgnorechangesList());
    return diffResponse(this.resource(request.getUrn()).diff({ state, olds, news }));
  }

  private async create(request: messages.CreateRequest) {
    const resource = this.resource(request.getUrn());
    const inputs = fromStruct(request.getProperties());
    const response = new messages.CreateResponse();
    if (request.getPreview()) {
      response.setProperties(toStruct({ ...unknowns(resource), ...inputs }));
      return response;
    }
    const created = await this.run(request.getUrn(), request.getTimeout(), (context) => resource.create(inputs, context));
    response.setId(created.id);
    response.setProperties(toStruct(created.outputs));
    return response;
  }

  private async update(request: messages.UpdateRequest) {
    const resource = this.resource(request.getUrn());
    const state = fromStruct(request.getOlds());
    const olds = request.hasOldInputs() ? fromStruct(request.getOldInputs()) : state;
    const news = fromStruct(request.getNews());
    const response = new messages.UpdateResponse();
    if (request.getPreview()) {
      const kept = Object.fromEntries(resource.computed.map((name) => [name, state[name]]));
      response.setProperties(toStruct({ ...(resource.updateRenewsComputed ? unknowns(resource) : kept), ...news }));
      return response;
    }
    const change = { state, olds, news };
    const outputs = await this.run(request.getUrn(), request.getTimeout(), (context) => resource.update(request.getId(), change, context));
    response.setProperties(toStruct(outputs));
    return response;
  }

  private async read(request: messages.ReadRequest) {
    const inputs = fromStruct(request.getInputs());
    const found = await this.resource(request.getUrn()).read(request.getId(), inputs, fromStruct(request.getProperties()));
    const response = new messages.ReadResponse();
    response.setId(found === undefined ? "" : (found.id ?? request.getId()));
    response.setInputs(toStruct(found?.inputs ?? {}));
    response.setProperties(toStruct(found?.state ?? {}));
    return response;
  }

  private async delete(request: messages.DeleteRequest) {
    const resource = this.resource(request.getUrn());
    const state = fromStruct(request.getProperties());
    await this.run(request.getUrn(), request.getTimeout(), (context) => resource.delete(request.getId(), state, context));
    return new Empty();
  }

  private async run<T>(urn: string, timeoutSeconds: number, operation: (context: Context) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    const expire = () => controller.abort(new Error(`the operation's time limit of ${timeoutSeconds} s ran out`));
    const timer = timeoutSeconds > 0 ? setTimeout(expire, timeoutSeconds * 1000) : undefined;
    this.running.add(controller);
    try {
      return await operation({
        urn,
        signal: controller.signal,
        log: (severity, message) => this.log.write(severity, message, urn),
        status: (message) => this.log.write("info", message, urn, true),
      });
    } finally {
      clearTimeout(timer);
      this.running.delete(controller);
      await this.log.flush();
    }
  }

  private stop(signal: NodeJS.Signals): void {
    this.abortAll(signal);
    if (this.running.size === 0) process.exit(0);
    setTimeout(() => process.exit(0), LAST_ANSWERS_MILLISECONDS).unref();
  }

  private abortAll(reason: string): void {
    for (const controller of this.running) controller.abort(new Error(reason));
  }
}

function answering<Q, R>(handle: (request: Q) => Promise<R>) {
  return (call: { readonly request: Q }, answer: Answer<R>): void => {
    handle(call.request).then(
      (value) => answer(null, value),
      (error: unknown) => answer(failed(error)),
    );
  };
}

function failed(error: unknown): Partial<grpc.StatusObject> & { code: grpc.status; details: string } {
  const details = shortened(error instanceof Error ? error.message : String(error));
  const code = grpc.status.UNKNOWN;
  return error instanceof NotFinished ? { code, details, metadata: leftBehind(error, details) } : { code, details };
}

/** gRPC's own form of an error with more to say, in which the engine finds what is to be kept. */
function leftBehind({ id, outputs }: NotFinished, reason: string): grpc.Metadata {
  const kept = new messages.ErrorResourceInitFailed();
  kept.setId(id);
  kept.setProperties(toStruct(outputs));
  kept.setReasonsList([reason]);
  const detail = new Any();
  detail.pack(kept.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new Status();
  status.setCode(grpc.status.UNKNOWN);
  status.setMessage(reason);
  status.addDetails(detail);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return metadata;
}

function shortened(message: string): string {
  if (message.length <= MAXIMUM_ERROR_CHARACTERS) return message;
  const half = MAXIMUM_ERROR_CHARACTERS / 2;
  return `${message.slice(0, half)}\n… ${message.length - 2 * half} characters left out …\n${message.slice(-half)}`;
}

function unknowns(resource: ResourceType): Props {
  return Object.fromEntries(resource.computed.map((name) => [name, UNKNOWN]));
}

/** The engine resets ignored properties itself except after a refresh, where it leaves that to the plugin. Whole properties only. */
function withIgnored(news: Props, olds: Props, ignored: readonly string[]): Props {
  return { ...news, ...Object.fromEntries(ignored.map((name) => [name, olds[name]])) };
}

function diffResponse(diff: Diff): messages.DiffResponse {
  const { DIFF_SOME, DIFF_NONE } = messages.DiffResponse.DiffChanges;
  const response = new messages.DiffResponse();
  response.setChanges(diff.changed.length > 0 ? DIFF_SOME : DIFF_NONE);
  response.setDiffsList([...diff.changed]);
  response.setReplacesList([...diff.replaces]);
  response.setDeletebeforereplace(diff.deleteBeforeReplace);
  return response;
}

function failure(property: string, reason: string): messages.CheckFailure {
  const result = new messages.CheckFailure();
  result.setProperty(property);
  result.setReason(`${property}: ${reason}`);
  return result;
}

function fromStruct(struct: Struct | undefined): Props {
  return struct?.toJavaScript() ?? {};
}

function toStruct(props: Props): Struct {
  return Struct.fromJavaScript(withoutUndefined(props) as Parameters<typeof Struct.fromJavaScript>[0]);
}
