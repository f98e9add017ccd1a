import { record, text } from "../../shared/properties";
import type { Props } from "../../shared/values";
import { docker } from "../client";
import { goDuration, nanoseconds } from "./duration";
import type { ServiceSeen } from "./seen";
import { TimedOut, waitFor } from "./wait";

// terraform-provider-docker v4.5.0, internal/provider/resource_docker_service_funcs.go.

/** serviceUpdatePendingStates' `Delay`: until then the tasks of before are still there, and would pass for those of the update. */
const UPDATE_DELAY_MILLISECONDS = 7_000;

interface Task {
  readonly ID: string;
  readonly Slot?: number;
  readonly NodeID?: string;
  readonly DesiredState: string;
  readonly Status: { readonly State: string; readonly ContainerStatus?: { readonly ContainerID?: string } };
}

/** numberedStates. */
const STATES = "new allocated pending assigned accepted preparing ready starting running complete shutdown failed rejected".split(" ");
const order = (state: string): number => STATES.indexOf(state);

/** Returns at once where the program does not ask for it. */
export async function untilCreated(id: string, plan: Props, signal: AbortSignal): Promise<void> {
  const converge = record(plan, "convergeConfig");
  if (converge === undefined) return;
  const delayMilliseconds = nanoseconds(text(converge, "delay") ?? "") / 1e6;
  await converged(id, converge, delayMilliseconds, signal, async () => ((await allRun(await inspect(id))) ? true : undefined));
}

/** resourceDockerServiceUpdateRefreshFunc. */
export async function untilUpdated(id: string, plan: Props, signal: AbortSignal): Promise<void> {
  const converge = record(plan, "convergeConfig");
  if (converge === undefined) return;
  await converged(id, converge, UPDATE_DELAY_MILLISECONDS, signal, async () => {
    const service = await inspect(id);
    const { State: state = "", Message: message = "" } = service.UpdateStatus ?? {};
    switch (state) {
      case "completed":
        return true;
      case "rollback_completed":
        throw new Error(`service rollback completed: ${message}`);
      case "paused":
        throw new Error(`service update paused: ${message}`);
      case "rollback_paused":
        throw new Error(`service rollback paused: ${message}`);
      default:
    }
    if (!(await allRun(service))) return undefined;
    if (state === "rollback_started") throw new Error(`service rollback completed: ${message}`);
    return true;
  });
}

async function converged(id: string, converge: Props, delayMilliseconds: number, signal: AbortSignal, look: () => Promise<true | undefined>) {
  const limit = nanoseconds(text(converge, "timeout") ?? "");
  try {
    await waitFor({ delayMilliseconds, timeoutMilliseconds: limit / 1e6, signal, look });
  } catch (error) {
    if (!(error instanceof TimedOut)) throw error;
    throw new Error(`Service with ID (${id}) did not converge after ${goDuration(limit)}`);
  }
}

export const inspect = async (id: string): Promise<ServiceSeen> => (await docker().getService(id).inspect()) as ServiceSeen;

export const tasksOf = async (filters: object): Promise<readonly Task[]> =>
  (await docker().listTasks({ filters: JSON.stringify(filters) })) as Task[];

/** replicatedConsoleLogUpdater.update: as many run as there are replicas, which a global service has none of. */
async function allRun(service: ServiceSeen): Promise<boolean> {
  const replicas = service.Spec.Mode.Replicated?.Replicas;
  if (replicas === undefined) throw new Error("no replica count");
  const tasks = await tasksOf({ service: [service.ID], "desired-state": ["running"] });
  const nodes = (await docker().listNodes()) as readonly { readonly ID: string; readonly Status: { readonly State: string } }[];
  const active = new Set(nodes.filter(({ Status }) => Status.State !== "down").map(({ ID }) => ID));
  const running = [...bySlot(tasks, active).values()].filter(
    (task) => order(task.DesiredState) <= order("running") && task.Status.State === "running",
  );
  return running.length === replicas;
}

/** replicatedConsoleLogUpdater.tasksBySlot: of several, the one with the lowest desired state, then with the lowest state. */
function bySlot(tasks: readonly Task[], active: ReadonlySet<string>): ReadonlyMap<number, Task> {
  const slots = new Map<number, Task>();
  for (const task of tasks) {
    const slot = task.Slot ?? 0;
    const other = slots.get(slot);
    const [desired, state] = [order(task.DesiredState), order(task.Status.State)];
    if (desired < 0 || state < 0) continue;
    if (other !== undefined) {
      const [otherDesired, otherState] = [order(other.DesiredState), order(other.Status.State)];
      if (otherDesired < desired || (otherDesired === desired && otherState <= state)) continue;
    }
    if (task.NodeID && !active.has(task.NodeID)) continue;
    slots.set(slot, task);
  }
  return slots;
}
