import * as pulumi from "@pulumi/pulumi";
import { local } from "@pulumi/command";

/** As many resources as a cluster has, and nothing else: what the engine itself costs. */
class Bare extends pulumi.ComponentResource {
  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    super("bare:index:Bare", name, { address: "10.0.0.1", role: "worker" }, opts);
    this.registerOutputs({});
  }
}

const config = new pulumi.Config();
const parent = new Bare("root");
for (let index = 0; index < config.requireNumber("components"); index++) new Bare(`component-${index}`, { parent });
for (let index = 0; index < config.requireNumber("commands"); index++) new local.Command(`command-${index}`, { create: "true" }, { parent });
for (let index = 0; index < config.requireNumber("stashes"); index++) new pulumi.Stash(`stash-${index}`, { input: "10.0.0.0/24" }, { parent });
