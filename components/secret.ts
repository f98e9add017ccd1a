import { randomBytes } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** 256 random bits in base64url, made at the first `up` and kept in the state: whatever must be secret can be derived from them. */
export function rememberedSecret(name: string, parent: pulumi.Resource): pulumi.Output<string> {
  const stash = new pulumi.Stash(
    name,
    { input: pulumi.secret(randomBytes(32).toString("base64url")) },
    // Every run brings a new random input; the first one is the one that counts.
    { parent, ignoreChanges: ["input"] },
  );
  return pulumi.secret(stash.output as pulumi.Output<string>);
}
