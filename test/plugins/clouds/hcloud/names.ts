import { text, textTable } from "../../../../tools/plugins/shared/properties";
import type { Props } from "../../../../tools/plugins/shared/values";
import type { Store } from "../shared/store";

/** Zone of each location: a network's subnet lies in one zone. */
export const zones: Readonly<Record<string, string>> = {
  fsn1: "eu-central",
  nbg1: "eu-central",
  hel1: "eu-central",
  ash: "us-east",
  hil: "us-west",
  sin: "ap-southeast",
};

/** Hetzner's ids are numbers. */
export function newId(): string {
  return String(10_000_000 + Math.floor(Math.random() * 80_000_000));
}

/** Within a project a name is for one thing of a kind. */
export function checkName(token: string, inputs: Props, store: Store, own?: string): void {
  const twin = store.all(token).find(({ id, properties }) => id !== own && properties["name"] === inputs["name"]);
  if (twin) throw new Error(`name is already used (uniqueness_error): ${text(inputs, "name")} is ${twin.id}`);
}

/** docs.hetzner.cloud, Labels. */
export function checkLabels(inputs: Props): void {
  for (const [key, value] of Object.entries(textTable(inputs, "labels") ?? {})) {
    const [name = "", prefix, more] = key.split("/").reverse();
    const valid = isLabel(name) && more === undefined && (prefix === undefined || /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(prefix));
    if (!valid) throw new Error(`invalid input in field 'labels' (invalid_input): [${key}: invalid label key]`);
    if (value !== "" && !isLabel(value)) throw new Error(`invalid input in field 'labels' (invalid_input): [${key}: invalid label value '${value}']`);
  }
}

function isLabel(value: string): boolean {
  return /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(value);
}

/** Whether labels are what a selector such as `role=worker,cluster=prod` names. */
export function selects(selector: string, labels: Readonly<Record<string, string>>): boolean {
  return selector.split(",").every((part) => {
    const [key = "", value, more] = part.split(/==?/);
    if (key === "" || more !== undefined || /[!()\s]/.test(part)) {
      throw new Error(`invalid input in field 'label_selector' (invalid_input): '${selector}', as far as this stand-in knows selectors`);
    }
    return value === undefined ? key in labels : labels[key] === value;
  });
}
