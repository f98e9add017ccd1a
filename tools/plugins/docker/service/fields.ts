import type { Field, Fields } from "../../shared/terraform";

// terraform-provider-docker v4.5.0, internal/provider/resource_docker_service.go, resourceDockerService: which property has a default, which
// the daemon may choose (`computed`), and which replaces the service. Names are those of @pulumi/docker 5.2.0.

type More = Omit<Field, "kind" | "fields">;

const text = (more: More = {}): Field => ({ kind: "text", ...more });
const number = (more: More = {}): Field => ({ kind: "number", ...more });
const flag = (more: More = {}): Field => ({ kind: "flag", ...more });
const table = (more: More = {}): Field => ({ kind: "table", ...more });
const texts = (more: More = {}): Field => ({ kind: "texts", ...more });
const block = (fields: Fields, more: More = {}): Field => ({ kind: "block", fields, ...more });
const list = (fields: Fields, more: More = {}): Field => ({ kind: "blocks", fields, ...more });
const set = (fields: Fields, more: More = {}): Field => ({ kind: "blocks", fields, unordered: true, ...more });

const required = { required: true } as const;
const computed = { computed: true } as const;
const forceNew = { forceNew: true } as const;
const unordered = { unordered: true } as const;

/** validators.go, validateDurationGeq0: what Go's time.ParseDuration reads, and not negative. */
const duration = (more: More = {}): Field => text({ pattern: /^\+?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+)$/, ...more });
/** validators.go, suppressEquivalentFloatRatio. */
const ratio = text({ fallback: "0.0", same: (left, right) => Number.parseFloat(left) === Number.parseFloat(right) });

/** helpers.go, newLabelSchema. */
export const labels = (more: More = {}): Field => set({ label: text({ ...required, ...more }), value: text({ ...required, ...more }) });

const updates = (failure: RegExp, order: RegExp): Fields => ({
  parallelism: number({ fallback: 1 }),
  delay: duration({ fallback: "0s" }),
  failureAction: text({ fallback: "pause", pattern: failure }),
  monitor: duration({ fallback: "5s" }),
  maxFailureRatio: ratio,
  order: text({ fallback: "stop-first", pattern: order }),
});

const reference = (kind: "secret" | "config"): Fields => ({
  [`${kind}Id`]: text(required),
  [`${kind}Name`]: text(),
  fileName: text(required),
  fileUid: text({ fallback: "0" }),
  fileGid: text({ fallback: "0" }),
  fileMode: number({ fallback: 0o444 }),
});

const mount: Fields = {
  target: text(required),
  source: text(),
  type: text({ ...required, pattern: /^(bind|volume|tmpfs)$/ }),
  readOnly: flag(),
  bindOptions: block({ propagation: text({ fallback: "rprivate", pattern: /^(private|rprivate|shared|rshared|slave|rslave)$/ }) }),
  volumeOptions: block({ noCopy: flag(), labels: labels(forceNew), driverName: text(), driverOptions: table() }),
  tmpfsOptions: block({ sizeBytes: number(), mode: number() }),
};

/** `privileges` is left out of the stand-in. */
const containerSpec: Fields = {
  image: text(required),
  labels: labels(forceNew),
  commands: texts(),
  args: texts(),
  hostname: text(),
  env: table(),
  dir: text(),
  user: text(),
  groups: texts(),
  readOnly: flag(),
  mounts: set(mount),
  stopSignal: text(),
  stopGracePeriod: duration(computed),
  healthcheck: block(
    {
      tests: texts(),
      interval: duration({ fallback: "0s" }),
      timeout: duration({ fallback: "0s" }),
      startPeriod: duration({ fallback: "0s" }),
      retries: number(),
    },
    computed,
  ),
  hosts: set({ ip: text({ ...required, ...forceNew }), host: text({ ...required, ...forceNew }) }, forceNew),
  dnsConfig: block({ nameservers: texts(required), searches: texts(), options: texts() }, computed),
  secrets: set(reference("secret")),
  configs: set(reference("config")),
  isolation: text({ fallback: "default", pattern: /^(default|process|hyperv)$/ }),
  sysctl: table(forceNew),
  capAdds: texts(),
  capDrops: texts(),
  init: flag(computed),
};

const amounts: Fields = { nanoCpus: number(), memoryBytes: number() };

/** `genericResources` of a reservation are left out of the stand-in. */
const taskSpec: Fields = {
  containerSpec: block(containerSpec, required),
  resources: block({ limits: block(amounts), reservation: block(amounts) }, computed),
  restartPolicy: block(
    { condition: text({ pattern: /^(none|on-failure|any)$/ }), delay: duration(), maxAttempts: number(), window: duration() },
    computed,
  ),
  placement: block(
    {
      constraints: texts(unordered),
      prefs: texts(unordered),
      maxReplicas: number(),
      platforms: set({ architecture: text(required), os: text(required) }),
    },
    computed,
  ),
  forceUpdate: number(computed),
  runtime: text({ ...computed, pattern: /^(container|plugin)$/ }),
  // Deprecated, `name` still is another element than the `id` that is read: a service that has it is replaced by each `up`.
  networksAdvanceds: set({
    name: text(forceNew),
    id: text(forceNew),
    aliases: texts({ ...unordered, ...forceNew }),
    driverOpts: texts({ ...unordered, ...forceNew }),
  }),
  logDriver: block({ name: text(required), options: table() }),
};

export const serviceFields: Fields = {
  name: text({ ...required, ...forceNew }),
  labels: { ...labels(), computed: true },
  taskSpec: block(taskSpec, required),
  // The block is what replaces: what is in it is changed in place, and from one mode to another the daemon refuses.
  mode: block({ replicated: block({ replicas: number({ fallback: 1 }) }, computed), global: flag() }, { ...computed, ...forceNew }),
  updateConfig: block(updates(/^(pause|continue|rollback)$/, /^(stop-first|start-first)$/)),
  rollbackConfig: block(updates(/(pause|continue)/, /(stop-first|start-first)/)),
  endpointSpec: block(
    {
      mode: text({ ...computed, pattern: /^(vip|dnsrr)$/ }),
      ports: list({
        name: text(),
        protocol: text({ fallback: "tcp", pattern: /^(tcp|udp|sctp)$/ }),
        targetPort: number(required),
        publishedPort: number(computed),
        publishMode: text({ fallback: "ingress", pattern: /^(host|ingress)$/ }),
      }),
    },
    computed,
  ),
  convergeConfig: block({ delay: duration({ fallback: "7s" }), timeout: duration({ fallback: "3m" }) }),
};
