import * as pulumi from "@pulumi/pulumi";
import type { Overlay } from "../overlays/overlay";
import { describeProblems } from "../report";
import { stop } from "../stop";

/** Secrets of the user's for the overlay, once all are known. What the preview could not look into is looked into here. */
export function overlayPasswords(cluster: string, overlay: Overlay | undefined, parent: pulumi.Resource): pulumi.Output<Record<string, string>> {
  const secrets = overlay?.secrets;
  return pulumi.secret(pulumi.all(secrets?.values ?? {})).apply((passwords: Record<string, string>) => {
    const problems = Object.entries(passwords).flatMap(([name, value]) => secrets?.problem(name, value) ?? []);
    return problems.length === 0 ? passwords : stop(describeProblems(`swarm cluster "${cluster}"`, problems), parent);
  });
}
