import * as pulumi from "@pulumi/pulumi";

export type Report = (path: string, message: string, fix: string) => void;

/** A value as the user wrote it, for a message. */
export function show(value: unknown): string {
  if (pulumi.Output.isInstance(value)) return "an Output (a plain value is needed here, so that the preview can be complete)";
  if (typeof value === "function") return "a function (is it to be called?)";
  if (typeof value === "number") return String(value);
  return JSON.stringify(value) ?? "nothing";
}
