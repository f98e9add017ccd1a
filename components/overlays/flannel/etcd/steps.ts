import type { EtcdStep } from "./survey";

/** For a person who watches. */
export function describeStep(step: EtcdStep): string {
  switch (step.kind) {
    case "form":
      return `forming the first members ${step.keys.join(", ")}`;
    case "wake":
      return `starting the members on ${step.keys.join(", ")}`;
    case "start":
      return "starting its member";
    case "snapshot":
      return "a snapshot first";
    case "recover":
      return `a majority is lost permanently (${step.lost.join(", ")}): going on from the data of ${step.key}`;
    case "strike off":
      return `removing its member ${step.id}, which is lost`;
    case "join":
      return "joining as a member";
    case "promote":
      return "giving its member a voice";
    case "readdress":
      return "telling the members its new address";
    case "restart":
      return "starting its member with new settings";
    case "remove":
      return "taking its member out";
    case "wipe":
      return "clearing what a member left here";
    default:
      return step satisfies never;
  }
}
