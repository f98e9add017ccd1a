import { isDeepStrictEqual } from "node:util";
import * as pulumi from "@pulumi/pulumi";
// Internal, and the one place where this package's tests depend on it: only here can a request's options be seen.
// eslint-disable-next-line @typescript-eslint/no-require-imports
const { MockMonitor } = require("@pulumi/pulumi/runtime/mocks") as {
  MockMonitor: { prototype: { registerResource: Register; registerResourceHook?: RegisterHook; registerErrorHook?: RegisterHook } };
};

type RegisterHook = (request: unknown, callback: (error: null, response: unknown) => void) => void;
type Register = (request: RegisterRequest, callback: (error: Error | undefined, response: unknown) => void) => Promise<void>;

/** As much of the engine's RegisterResourceRequest as the tests read. */
interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getCustom(): boolean;
  getDependenciesList(): string[];
  getIgnorechangesList(): string[];
  getDeletebeforereplace(): boolean;
  getProtect(): boolean;
  getProvider(): string;
  getAliasesList(): { getSpec(): { getName(): string } | undefined }[];
  getReplacementTrigger(): { toJavaScript(): unknown } | undefined;
  getHooks(): HookNames | undefined;
  getObject(): { toJavaScript(): Record<string, unknown> } | undefined;
}

interface HookNames {
  getBeforeCreateList(): string[];
  getBeforeUpdateList(): string[];
  getAfterUpdateList(): string[];
  getBeforeDeleteList(): string[];
  getAfterDeleteList(): string[];
  getOnErrorList(): string[];
}

/** One resource as the engine is asked for it. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  /** Name of the parent, empty for a resource of the stack itself. */
  readonly parent: string;
  readonly custom: boolean;
  readonly dependsOn: readonly string[];
  readonly ignoreChanges: readonly string[];
  readonly deleteBeforeReplace: boolean;
  readonly protect: boolean;
  /** Name of the provider that was given. @default - the default one */
  readonly provider?: string;
  readonly replacementTrigger?: unknown;
  /** Names that it had in earlier versions. @default - none */
  readonly aliases?: readonly string[];
  /** Names of its hooks, by when they are called. @default - none */
  readonly hooks?: Readonly<Record<"beforeCreate" | "beforeUpdate" | "afterUpdate" | "delete" | "onError", readonly string[]>>;
  /** As sent: a secret is a `{secret: …}`, what is not known yet is `unknown`. */
  readonly inputs: Readonly<Record<string, unknown>>;
}

export interface Secret {
  readonly secret: unknown;
}

export const unknown = "<unknown>";

/** What a test has the providers say. */
export interface Answers {
  /** Outputs beside the inputs. */
  readonly outputs?: (resource: pulumi.runtime.MockResourceArgs) => Record<string, unknown>;
  /** Where a provider's ids have a form of their own. @default - the resource's name and `-id` */
  readonly id?: (resource: pulumi.runtime.MockResourceArgs) => string;
  /** Results of provider functions. @default - none may be called */
  readonly call?: (call: pulumi.runtime.MockCallArgs) => Record<string, unknown>;
}

export interface Graph {
  readonly resources: readonly Registered[];
  /** What the program itself threw. */
  readonly error: unknown;
}

/** The mocks know nothing of hooks; an engine takes them, and calls none here. */
const takeHook: RegisterHook = (_request, callback) => callback(null, {});

/** Outputs that the real providers would give; the swarm command's is what `swarm-up` prints. */
const stdout: Readonly<Record<string, string>> = {
  intent: JSON.stringify({ mark: "mark", generation: 1 }),
  "swarm-up": JSON.stringify({ swarmId: "swarm1", generation: 1 }),
  nodes: JSON.stringify({ hosts: {} }),
  "network-up": JSON.stringify({ id: "network1" }),
};

function state(type: string, inputs: Record<string, unknown>): Record<string, unknown> {
  if (type === "pulumi:index:Stash") return { ...inputs, output: inputs["input"] };
  const program = /([a-z-]+)\.js$/.exec(typeof inputs["create"] === "string" ? inputs["create"] : "")?.[1] ?? "";
  return { ...inputs, ...(program in stdout && { stdout: stdout[program] }) };
}

export interface RecordOptions extends Answers {
  readonly preview?: boolean;
  /** Whether the engine takes hooks, as the real one does and the SDK's mocks do not. @default false */
  readonly hooks?: boolean;
}

/**
 * Runs a program against a mocked engine and records each resource that it asks for.
 * As a preview, nothing is known that only a provider could tell, as at the first preview of a new stack.
 */
export async function record(
  program: () => unknown,
  { preview = false, hooks = false, outputs = () => ({}), id = ({ name }) => `${name}-id`, call = () => assertNever() }: RecordOptions = {},
): Promise<Graph> {
  const requests: RegisterRequest[] = [];
  if (hooks) Object.assign(MockMonitor.prototype, { registerResourceHook: takeHook, registerErrorHook: takeHook });
  const original = MockMonitor.prototype.registerResource;
  MockMonitor.prototype.registerResource = function (this: unknown, request, callback) {
    requests.push(request);
    return original.call(this, request, callback);
  };
  let error: unknown;
  try {
    await pulumi.runtime.setMocks(
      {
        newResource: (resource) => {
          const inputs = resource.inputs as Record<string, unknown>;
          return preview ? { id: undefined, state: inputs } : { id: id(resource), state: { ...state(resource.type, inputs), ...outputs(resource) } };
        },
        call,
      },
      "graph",
      "test",
      preview,
    );
    try {
      program();
    } catch (thrown) {
      error = thrown;
    }
    await pulumi.runtime.disconnect();
  } finally {
    MockMonitor.prototype.registerResource = original;
    delete MockMonitor.prototype.registerResourceHook;
    delete MockMonitor.prototype.registerErrorHook;
  }
  const resources = requests.filter((request) => request.getType() !== "pulumi:pulumi:Stack").map(describeRequest);
  return { resources: resources.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)), error };
}

function assertNever(): never {
  throw new Error("this package calls no provider function");
}

function keyOf({ type, name }: Registered): string {
  return `${name} ${type}`;
}

function describeRequest(request: RegisterRequest): Registered {
  const provider = request.getProvider();
  const aliases = request.getAliasesList().flatMap((alias) => alias.getSpec()?.getName() ?? []);
  const trigger = request.getReplacementTrigger()?.toJavaScript();
  return {
    type: request.getType(),
    name: request.getName(),
    parent: nameOf(request.getParent()),
    custom: request.getCustom(),
    dependsOn: [...new Set(request.getDependenciesList().map(nameAndType))].sort(),
    ignoreChanges: request.getIgnorechangesList(),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    protect: request.getProtect(),
    ...hooksOf(request.getHooks()),
    ...(provider !== "" && { provider: nameOf(provider.slice(0, provider.lastIndexOf("::"))) }),
    ...(aliases.length > 0 && { aliases }),
    ...(trigger !== undefined && { replacementTrigger: trigger }),
    inputs: plain(request.getObject()?.toJavaScript() ?? {}) as Record<string, unknown>,
  };
}

function hooksOf(names: HookNames | undefined): Pick<Registered, "hooks"> {
  const hooks = {
    beforeCreate: names?.getBeforeCreateList() ?? [],
    beforeUpdate: names?.getBeforeUpdateList() ?? [],
    afterUpdate: names?.getAfterUpdateList() ?? [],
    delete: [...(names?.getBeforeDeleteList() ?? []), ...(names?.getAfterDeleteList() ?? [])],
    onError: names?.getOnErrorList() ?? [],
  };
  return Object.values(hooks).every((list) => list.length === 0) ? {} : { hooks };
}

/** `urn:pulumi:stack::project::parent$type::name` to the name; the stack's own to nothing. */
function nameOf(urn: string): string {
  return urn === "" || urn.includes("::pulumi:pulumi:Stack::") ? "" : (urn.split("::").at(-1) ?? "");
}

function nameAndType(urn: string): string {
  return `${nameOf(urn)} (${urn.split("::").at(-2)?.split("$").at(-1) ?? ""})`;
}

const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

function plain(value: unknown): unknown {
  if (value === unknownValue) return unknown;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  const fields = value as Record<string, unknown>;
  if (fields[signature] === secretSignature) return { secret: plain(fields["value"]) };
  return Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, plain(field)]));
}

export function isSecret(value: unknown): value is Secret {
  return typeof value === "object" && value !== null && isDeepStrictEqual(Object.keys(value), ["secret"]);
}

/** All texts of an input that are no secret, and so can be read by everyone who sees the preview or the state. */
export function readable(value: unknown): string[] {
  if (isSecret(value)) return [];
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(readable);
}
