import { AsyncResource } from "node:async_hooks";
import * as pulumi from "@pulumi/pulumi";

/**
 * Where this package serves programs of other languages, the SDK's log knows its engine only within the run to which a component belongs,
 * and hooks are called from outside: what they log would be lost, errors too.
 */
export function ofThisRun<Args, Result>(hook: (args: Args) => Promise<Result>): (args: Args) => Promise<Result> {
  return AsyncResource.bind(hook);
}

/**
 * Any engine can: the SDK refuses one that knows no hooks. So what only hooks do, such as turns, is done wherever machines are made.
 * The SDK's mocks, by which users test their programs, have no engine that would call hooks, and wait for one without end.
 */
export function canHook(): boolean {
  return "registerResourceHook" in (pulumi.runtime.getMonitor() ?? {});
}
