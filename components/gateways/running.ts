import { hostLabel } from "../membership/types";
import type { EngineApi } from "../remote/engine-api";
import type { NetworkIo } from "../networks/api";
import { whileWaiting } from "../waiting";
import type { GatewaySpec, Service, ServiceSpec, Task } from "./api";
import { isCurrent } from "./service";

/** Milliseconds in which a first task must run: hosts pull the image before, of about 50 MB. */
export const runLimit = 120_000;
/** Milliseconds that a task must have been seen running: Docker calls one so whose program ends at once. */
const steady = 3_000;
/** Milliseconds that the last tasks of an earlier version may take longer than the first new one. */
const replaceLimit = 30_000;

/**
 * Waits until a task runs as asked, and no earlier one is meant to run any more.
 *
 * @throws when none runs in time, or Docker has taken the change back. It says what the tasks say.
 */
export async function waitUntilRunning(api: EngineApi, id: string, want: ServiceSpec, spec: GatewaySpec, io: NetworkIo): Promise<void> {
  await whileWaiting(io, undefined, `gateway ${want.Name} to run`, runLimit, async (seen) => {
    const until = io.now() + runLimit;
    const since = new Map<string, number>();
    let steadySince: number | undefined;
    for (;;) {
      const tasks = await tasksOf(api, id);
      const current = tasks.filter((task) => isCurrent(task.Spec, want.TaskTemplate));
      const running = current.filter(({ DesiredState: wanted, Status: { State: state } }) => wanted === "running" && state === "running");
      for (const { ID } of running) since.set(ID, since.get(ID) ?? io.now());
      if (running.some(({ ID }) => io.now() - (since.get(ID) ?? io.now()) >= steady)) {
        steadySince ??= io.now();
        const earlier = tasks.some((task) => task.DesiredState === "running" && !current.includes(task));
        if (!earlier || io.now() - steadySince >= replaceLimit) return;
      } else {
        const reason = reasonOf(current);
        seen(reason);
        const { UpdateStatus: update } = await api.get<Service>(`/services/${id}`);
        const takenBack = update?.State?.startsWith("rollback") === true && current.some(({ Status: status }) => failed(status.State));
        if (takenBack || io.now() > until) throw new Error(await describe(api, want.Name, current, spec, takenBack));
      }
      await io.sleep(500);
    }
  });
}

async function tasksOf(api: EngineApi, id: string): Promise<readonly Task[]> {
  const filters = encodeURIComponent(JSON.stringify({ service: [id] }));
  const tasks = await api.get<readonly Task[]>(`/tasks?filters=${filters}`);
  return [...tasks].sort((one, other) => (one.UpdatedAt < other.UpdatedAt ? 1 : -1));
}

function failed(state: string): boolean {
  return state === "failed" || state === "rejected";
}

/** What the last task that failed said, or else why none has been started. */
function tellingOf(tasks: readonly Task[]): Task | undefined {
  return tasks.find(({ Status: status }) => failed(status.State)) ?? tasks.find(({ Status: status }) => status.Err) ?? tasks[0];
}

function reasonOf(tasks: readonly Task[]): string {
  const task = tellingOf(tasks);
  if (!task) return "Docker has made no task yet";
  return task.Status.Err || (task.Status.State === "preparing" ? "its image is being pulled" : `its task is ${task.Status.State}`);
}

async function describe(api: EngineApi, name: string, tasks: readonly Task[], spec: GatewaySpec, takenBack: boolean): Promise<string> {
  const where = await hostOf(api, tellingOf(tasks)?.NodeID);
  const reason = `${where === undefined ? "" : `${where}: `}${reasonOf(tasks)}`;
  const what = takenBack
    ? `gateway ${name}: its new tasks do not run, and Docker has put back the earlier version`
    : `gateway ${name}: no task of it runs ${runLimit / 1000} s after it was asked for`;
  return `${what}. ${reason}. Fix: ${fixOf(reason, name, spec)}, and run again`;
}

function fixOf(reason: string, name: string, { image }: GatewaySpec): string {
  if (/non-zero exit/i.test(reason)) return `"docker service logs ${name}" on a manager says why it ended`;
  if (/no suitable node/i.test(reason)) return `see that a host of gateways.${name}.on is up and not drained`;
  if (/no such image|pull|manifest|registry|image/i.test(reason)) {
    return `see that its hosts can pull ${image}, or name another image (programs.mirror, gateways.${name}.program)`;
  }
  return `"docker service ps --no-trunc ${name}" on a manager shows more`;
}

async function hostOf(api: EngineApi, nodeId: string | undefined): Promise<string | undefined> {
  if (nodeId === undefined || nodeId === "") return undefined;
  const nodes =
    await api.get<readonly { readonly ID: string; readonly Spec: { readonly Labels?: Readonly<Record<string, string>> | null } }[]>("/nodes");
  return nodes.find(({ ID }) => ID === nodeId)?.Spec.Labels?.[hostLabel];
}
