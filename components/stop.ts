import * as pulumi from "@pulumi/pulumi";

let byErrors = false;

/**
 * For the plugin that serves other languages: there the engine ends a run by its first error, before what is logged beside it
 * arrives.
 */
export function sayByErrors(): void {
  byErrors = true;
}

/** Ends the program while it runs already: what waits for the result is not begun. */
export function stop(message: string, resource: pulumi.Resource): never {
  if (!byErrors) void pulumi.log.error(message, resource);
  const error = new pulumi.RunError(byErrors ? message : "nothing is done; the error of the cluster says why");
  // The SDK formats the stack of each error that an output carries, which takes 15 s under ts-node, and shows none of it.
  error.stack = error.message;
  throw error;
}
