import * as pulumi from "@pulumi/pulumi";
import { type HostProgram as PlannedProgram, showSource } from "./program";

/** A program that runs on hosts beside Docker, in the preview: an upgrade is a changed version. */
export class HostProgram extends pulumi.ComponentResource {
  constructor(name: string, program: PlannedProgram, opts?: pulumi.ComponentResourceOptions) {
    super("pulumi-swarm:index:HostProgram", name, { program: program.name, version: program.version, source: showSource(program) }, opts);
    this.registerOutputs({});
  }
}
