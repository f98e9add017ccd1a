import type { ResourceType } from "../shared/plugin";
import { labels as labelTable, requiredText } from "../shared/properties";
import { type Fields, keepSecrets, mistakesIn, planned } from "../shared/terraform";
import { isSecret, reveal, secretOf, UNKNOWN } from "../shared/values";
import { replacedWhole } from "./replaced";
import { attempting, connected, docker, unlessGone } from "./client";
import { labels } from "./service/fields";

const forceNew = { forceNew: true } as const;

/** terraform-provider-docker v4.5.0, internal/provider/resource_docker_secret.go, resourceDockerSecret: whatever changes, replaces. */
const FIELDS: Fields = {
  name: { kind: "text", ...forceNew },
  data: { kind: "text", ...forceNew },
  labels: { ...labels(forceNew), ...forceNew },
};

export const secret: ResourceType = {
  inputs: Object.keys(FIELDS),
  required: ["data"],
  refused: [],
  computed: [],
  updateRenewsComputed: false,
  mistakes: (news) => [...mistakesIn(FIELDS, news), ...notBase64(news["data"])],
  ...replacedWhole(FIELDS),
  async create(inputs) {
    await connected();
    const { name, data, labels: given } = planned(FIELDS, inputs, {});
    const spec = { Name: String(name), Labels: labelTable({ given }, "given") ?? {}, Data: String(data) };
    const { id } = (await attempting(`secret ${String(name)}: cannot be created`, docker().createSecret(spec))) as unknown as { readonly id: string };
    // The data is in the state, base64 and all; `Sensitive` makes it a secret there.
    return { id, outputs: keepSecrets({ name, data: secretOf(data), labels: given }, inputs) };
  },
  async read(id, inputs, state) {
    await connected();
    const found = await unlessGone(docker().getSecret(id).inspect());
    // resourceDockerSecretRead: only the name. Data never leaves the swarm, and labels are not looked at.
    const name = (found as { readonly Spec?: { readonly Name?: string } } | undefined)?.Spec?.Name;
    return found && { inputs: { ...inputs, name }, state: { ...state, name } };
  },
  async delete(id, state) {
    await connected();
    // Of one that is gone, or that a service has, the daemon's refusal is the error.
    await attempting(`secret ${requiredText(state, "name")}: cannot be removed`, docker().getSecret(id).remove());
  },
};

/** validators.go, validateStringIsBase64Encoded: the standard alphabet with its padding. */
export function notBase64(data: unknown): readonly { readonly property: string; readonly reason: string }[] {
  const text = reveal(data);
  if (typeof text !== "string" || text === UNKNOWN || Buffer.from(text, "base64").toString("base64") === text.replace(/[\r\n]/g, "")) return [];
  return [{ property: "data", reason: `'${isSecret(data) ? "[secret]" : text}' is not base64 decodeable` }];
}
