import * as pulumi from "@pulumi/pulumi";

const milliseconds = 24 * 3600 * 1000;

/** The day of the first `up`, such as `2026-11-28`, kept in the state. */
export function rememberedDay(name: string, parent: pulumi.Resource): pulumi.Output<string> {
  const today = new Date().toISOString().slice(0, 10);
  // Every run brings another day; the first one is the one that counts.
  return new pulumi.Stash(name, { input: today }, { parent, ignoreChanges: ["input"] }).output as pulumi.Output<string>;
}

/** How many times so many days have passed since that day. */
export function timesPassed(since: string, days: number, now: Date = new Date()): number {
  const passed = (now.getTime() - Date.parse(since)) / milliseconds;
  return passed > 0 ? Math.floor(passed / days) : 0;
}
