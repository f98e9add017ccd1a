import assert from "node:assert/strict";
import { secret } from "../../tools/plugins/docker/secret";
import { serviceConfig } from "../../tools/plugins/docker/service-config";
import { service } from "../../tools/plugins/docker/service";
import { nanoseconds, shortDuration } from "../../tools/plugins/docker/service/duration";
import { serviceFields } from "../../tools/plugins/docker/service/fields";
import { familiar } from "../../tools/plugins/docker/service/image";
import { seen, type ServiceSeen } from "../../tools/plugins/docker/service/seen";
import { specOf } from "../../tools/plugins/docker/service/spec";
import { keepSecrets, planned, refreshed } from "../../tools/plugins/shared/terraform";
import { secretOf, UNKNOWN, type Props } from "../../tools/plugins/shared/values";

const urn = "urn:pulumi:test::test::docker:index/service:Service::web";

const inputs = {
  name: "web",
  mode: { replicated: { replicas: 2 } },
  taskSpec: {
    containerSpec: {
      image: "busybox:1",
      labels: [{ label: "a", value: "1" }],
      env: { VERSION: "1" },
      secrets: [
        { secretId: "s1", secretName: "one", fileName: "one" },
        { secretId: "s2", secretName: "two", fileName: "two" },
      ],
      healthcheck: { tests: ["CMD", "true"], interval: "2s" },
    },
    networksAdvanceds: [{ id: "n1" }, { id: "n2" }],
    placement: { constraints: ["node.role==worker"] },
  },
  updateConfig: { order: "start-first", maxFailureRatio: "0.1" },
  endpointSpec: { mode: "dnsrr", ports: [{ targetPort: 80, publishMode: "host" }] },
  convergeConfig: { timeout: "1m" },
};

/** As much of a request as is looked at here. */
interface Spec {
  readonly TaskTemplate: {
    readonly ContainerSpec: { Image: string; readonly StopGracePeriod: number; readonly Init: boolean; readonly Healthcheck: object };
    readonly Placement: { Platforms?: readonly object[] };
    RestartPolicy: object;
    Runtime: string;
  };
  readonly Mode: object;
  readonly UpdateConfig?: object;
  readonly EndpointSpec: { readonly Mode: string; readonly Ports: readonly object[] };
}

/** As it is sent. */
const sent = (given: Props): Spec => JSON.parse(JSON.stringify(specOf(planned(serviceFields, checked(given), {})))) as Spec;

/** What a daemon says of a service that was made so. */
function daemon(spec: Spec, more: { readonly platforms?: readonly object[]; readonly image?: string } = {}): ServiceSeen {
  const { TaskTemplate: task, EndpointSpec: asked } = spec;
  task.RestartPolicy = { Condition: "any", Delay: 5e9, MaxAttempts: 0, ...task.RestartPolicy };
  task.Runtime ||= "container";
  if (more.platforms) task.Placement.Platforms = more.platforms;
  if (more.image) task.ContainerSpec.Image = more.image;
  const ports = asked.Ports.map((port) => ({ ...port, PublishedPort: 30_000 }));
  const endpoint = { Spec: { Mode: asked.Mode || "vip" }, Ports: ports };
  return { ID: "id", Version: { Index: 1 }, Spec: spec, Endpoint: endpoint } as unknown as ServiceSeen;
}

const checked = (given: Props): Props => service.complete?.(given, {}, urn) ?? given;

function made(given: Props, more = {}): Props {
  const plan = planned(serviceFields, checked(given), {});
  return seen(daemon(sent(given), more), plan["convergeConfig"]);
}

/** What a program that says `news` would change in a service that is as `state` says. */
function change(state: Props, news: Props): string {
  const given = checked(news);
  const { changed, replaces } = service.diff({ state, olds: given, news: given });
  return changed.length === 0 ? "nothing" : `${replaces.length > 0 ? "replaces" : "updates"} ${changed.join(", ")}`;
}

/** The program with one property otherwise, named by its path. */
function otherwise(path: string, value: unknown): Props {
  const copy = structuredClone(inputs) as Record<string, unknown>;
  const names = path.split(".");
  const last = names.pop() ?? "";
  const place = names.reduce<Record<string, unknown>>((at, name) => (at[name] ??= {}) as Record<string, unknown>, copy);
  if (value === undefined) delete place[last];
  else place[last] = value;
  return copy;
}

describe("a Service of the stand-in for Docker's provider", () => {
  const container = "taskSpec.containerSpec";
  const changes: readonly (readonly [path: string, value: unknown, expected: string])[] = [
    ["name", "other", "replaces name"],
    ["labels", [{ label: "a", value: "b" }], "updates labels"],
    ["mode.replicated.replicas", 3, "updates mode"],
    // The daemon refuses it.
    ["mode", { global: true }, "updates mode"],
    // The daemon's choice stays.
    ["mode", undefined, "nothing"],
    [`${container}.image`, "busybox:2", "updates taskSpec"],
    [`${container}.env`, { VERSION: "2" }, "updates taskSpec"],
    [`${container}.env`, undefined, "updates taskSpec"],
    [`${container}.labels`, [{ label: "a", value: "2" }], "replaces taskSpec"],
    [`${container}.hosts`, [{ ip: "10.0.0.1", host: "db" }], "replaces taskSpec"],
    [`${container}.sysctl`, { "net.core.somaxconn": "1" }, "replaces taskSpec"],
    [`${container}.secrets`, [...inputs.taskSpec.containerSpec.secrets].reverse(), "nothing"],
    [`${container}.secrets`, [{ secretId: UNKNOWN, secretName: UNKNOWN, fileName: "one" }], "updates taskSpec"],
    [`${container}.healthcheck`, undefined, "nothing"],
    [`${container}.stopGracePeriod`, "10s", "updates taskSpec"],
    // Texts are compared, not times: it is read as 1m30s.
    [`${container}.healthcheck.interval`, "90s", "updates taskSpec"],
    ["taskSpec.networksAdvanceds", [{ id: "n2" }, { id: "n1" }], "nothing"],
    ["taskSpec.networksAdvanceds", [{ id: "n1" }], "replaces taskSpec"],
    ["taskSpec.networksAdvanceds", [{ id: "n1" }, { id: "n2", aliases: ["web"] }], "replaces taskSpec"],
    ["taskSpec.networksAdvanceds", [{ name: "n1" }, { id: "n2" }], "replaces taskSpec"],
    ["taskSpec.placement", undefined, "nothing"],
    ["taskSpec.placement.constraints", ["node.role==manager"], "updates taskSpec"],
    ["taskSpec.forceUpdate", 1, "updates taskSpec"],
    ["taskSpec.logDriver", { name: "json-file" }, "updates taskSpec"],
    ["updateConfig.maxFailureRatio", "0.10", "nothing"],
    ["updateConfig", undefined, "updates updateConfig"],
    ["rollbackConfig", { order: "start-first" }, "updates rollbackConfig"],
    ["endpointSpec", undefined, "nothing"],
    ["endpointSpec.ports", [{ targetPort: 80, publishedPort: 8080, publishMode: "host" }], "updates endpointSpec"],
    ["endpointSpec.ports", [], "updates endpointSpec"],
    ["convergeConfig.timeout", "2m", "updates convergeConfig"],
  ];
  for (const [path, value, expected] of changes)
    it(`${expected === "nothing" ? "does not change" : expected} for ${path}: ${JSON.stringify(value) ?? "left out"}`, () => {
      assert.equal(change(made(inputs), otherwise(path, value)), expected);
    });

  it("is unchanged by a second up", () => {
    assert.equal(change(made(inputs), inputs), "nothing");
    const least = { name: "web", taskSpec: { containerSpec: { image: "busybox:1" } } };
    assert.equal(change(made(least), least), "nothing");
  });

  // terraform-provider-docker v4.5.0 sends zeros for what is left out, and compares what it reads as text.
  it("differs for ever where the real one reads other words than it is given", () => {
    const forEver: readonly (readonly [string, unknown])[] = [
      ["taskSpec.restartPolicy", { condition: "on-failure" }],
      ["taskSpec.networksAdvanceds", [{ name: "front" }]],
      ["updateConfig.maxFailureRatio", "0.25"],
      [`${container}.healthcheck.interval`, "90s"],
    ];
    for (const [path, value] of forEver) assert.notEqual(change(made(otherwise(path, value)), otherwise(path, value)), "nothing", path);
  });

  it("differs by the second up where a registry gave its image a digest", () => {
    assert.equal(change(made(inputs, { image: `busybox:1@sha256:${"0".repeat(64)}` }), inputs), "updates taskSpec");
    assert.equal(change(made(inputs, { platforms: [{ Architecture: "amd64", OS: "linux" }] }), inputs), "updates taskSpec");
  });

  it("is deleted before it is replaced, unless its name was made up or is another one", () => {
    const replacing = (given: Props, news: Props): boolean => service.diff({ state: made(given), olds: given, news }).deleteBeforeReplace;
    const other = otherwise(`${container}.sysctl`, { a: "b" });
    assert.equal(replacing(inputs, checked(other)), true);
    assert.equal(replacing(inputs, checked({ ...other, name: "other" })), false);
    assert.equal(replacing(inputs, { ...checked(other), __defaults: ["name"] }), false);
  });

  it("is made with no time to stop, no virtual restart policy, and the daemon's choice of the rest", () => {
    const { TaskTemplate: task, Mode, UpdateConfig, EndpointSpec } = sent({ name: "web", taskSpec: { containerSpec: { image: "busybox" } } });
    assert.equal(task.ContainerSpec.StopGracePeriod, 0);
    assert.equal(task.ContainerSpec.Init, false);
    assert.deepEqual([task.ContainerSpec.Healthcheck, task.RestartPolicy, Mode, UpdateConfig], [{}, {}, {}, undefined]);
    assert.deepEqual(EndpointSpec, { Mode: "", Ports: [] });
  });

  it("has the defaults of the real one's schema among its inputs, but those that are false, 0 or empty", () => {
    const { updateConfig, convergeConfig, taskSpec, mode } = checked({ ...inputs, mode: {} }) as Record<string, Record<string, unknown>>;
    const updates = { parallelism: 1, delay: "0s", failureAction: "pause", monitor: "5s", maxFailureRatio: "0.1", order: "start-first" };
    assert.deepEqual(updateConfig, { ...updates, __defaults: ["delay", "failureAction", "monitor", "parallelism"] });
    assert.deepEqual(convergeConfig, { delay: "7s", timeout: "1m", __defaults: ["delay"] });
    assert.deepEqual(mode, { __defaults: [] });
    const [one] = (taskSpec?.["containerSpec"] as { readonly secrets: readonly Props[] }).secrets;
    assert.deepEqual([one?.["fileMode"], one?.["fileUid"], one?.["fileGid"]], [0o444, "0", "0"]);
  });

  it("is refused before anything is planned, where the real one's schema refuses", () => {
    const reasons = (given: Props): readonly string[] =>
      (service.mistakes?.(checked(given)) ?? []).map(({ property, reason }) => `${property}: ${reason}`);
    assert.deepEqual(reasons(inputs), []);
    assert.deepEqual(reasons({ ...inputs, mode: { global: false } }), ["convergeConfig: conflicts with mode.0.global"]);
    assert.deepEqual(reasons(otherwise("updateConfig.order", "first")), [
      "updateConfig.order: 'first' doesn't match the pattern '^(stop-first|start-first)$'",
    ]);
    assert.equal(reasons(otherwise(`${container}.stopGracePeriod`, "10")).length, 1);
    assert.equal(reasons(otherwise(`${container}.image`, undefined)).length, 1);
    assert.equal(reasons(otherwise(`${container}.privileges`, {})).length, 1);
  });

  it("shows by a refresh what somebody changed by hand, and nothing else", () => {
    const given = checked(inputs);
    assert.deepEqual(refreshed(serviceFields, given, made(inputs)), given);
    const scaled = refreshed(serviceFields, given, made(otherwise("mode.replicated.replicas", 5)));
    assert.deepEqual((scaled["mode"] as { readonly replicated: { readonly replicas: number } }).replicated.replicas, 5);
  });

  it("keeps secrets out of the readable state", () => {
    const given = otherwise(`${container}.env`, { PASSWORD: secretOf("hush") });
    const outputs = keepSecrets(made(given), given) as {
      readonly taskSpec: { readonly containerSpec: { readonly env: { readonly PASSWORD: unknown } } };
    };
    assert.deepEqual(outputs.taskSpec.containerSpec.env.PASSWORD, secretOf("hush"));
  });

  it("reads and writes times as Go does", () => {
    const times = { "0s": 0, "500ms": 5e8, "1m30s": 90e9, "2m": 120e9, "1h": 3600e9, "1h0m5s": 3605e9, "1h5m": 3900e9 };
    for (const [text, nanos] of Object.entries(times)) assert.deepEqual([nanoseconds(text), shortDuration(nanos)], [nanos, text]);
    assert.equal(nanoseconds("90s"), 90e9);
    assert.equal(nanoseconds(""), 0);
  });

  it("names images as Docker's client does", () => {
    const digest = `busybox@sha256:${"0".repeat(64)}`;
    const names = { nginx: "nginx:latest", "docker.io/library/nginx:1": "nginx:1", "docker.io/me/it": "me/it:latest", [digest]: digest };
    for (const [given, expected] of Object.entries({ ...names, "127.0.0.1:1/it": "127.0.0.1:1/it:latest" })) assert.equal(familiar(given), expected);
  });
});

describe("a Secret and a ServiceConfig of the stand-in for Docker's provider", () => {
  const news = (given: Props): Props => secret.complete?.(given, {}, urn.replace(/service:Service/, "secret:Secret")) ?? given;

  it("are replaced whatever changes, and a made-up name lets the new one be made first", () => {
    const state = { name: "web-1", data: secretOf("aGk="), labels: [] };
    for (const changed of [{ data: secretOf("aG8=") }, { labels: [{ label: "a", value: "b" }] }]) {
      const given = { name: "web-1", data: secretOf("aGk="), __defaults: ["name"], ...changed };
      assert.deepEqual(secret.diff({ state, olds: state, news: given }), {
        changed: Object.keys(changed),
        replaces: Object.keys(changed),
        deleteBeforeReplace: false,
      });
      assert.equal(secret.diff({ state, olds: state, news: { ...given, __defaults: [] } }).deleteBeforeReplace, true);
    }
    assert.deepEqual(secret.diff({ state, olds: state, news: { ...state, __defaults: [] } }).changed, []);
    assert.deepEqual(serviceConfig.diff({ state: { name: "a", dataRaw: "1" }, olds: {}, news: { name: "a", dataRaw: "2" } }).replaces, ["dataRaw"]);
  });

  it("say what is no base64, and not what a secret is", () => {
    assert.deepEqual(secret.mistakes?.(news({ data: secretOf("hush!") })), [{ property: "data", reason: "'[secret]' is not base64 decodeable" }]);
    assert.deepEqual(secret.mistakes?.(news({ data: secretOf("aGk=") })), []);
    assert.deepEqual(secret.mistakes?.(news({ data: UNKNOWN })), []);
  });

  it("take data in one form", () => {
    const reasons = (given: Props): number => serviceConfig.mistakes?.(given)?.length ?? 0;
    assert.deepEqual([reasons({}), reasons({ dataRaw: "a", data: "aGk=" }), reasons({ dataRaw: "a" }), reasons({ data: "aGk=" })], [1, 1, 0, 0]);
  });
});
