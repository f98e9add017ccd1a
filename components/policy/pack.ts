import { PolicyPack } from "@pulumi/policy";
import { swarmPolicies } from ".";

new PolicyPack("pulumi-swarm", { policies: swarmPolicies() });
