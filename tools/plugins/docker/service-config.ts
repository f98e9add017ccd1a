import type { ResourceType } from "../shared/plugin";
import { labels as labelTable, requiredText, text } from "../shared/properties";
import { type Fields, keepSecrets, mistakesIn, planned, refreshed } from "../shared/terraform";
import type { Props } from "../shared/values";
import { replacedWhole } from "./replaced";
import { attempting, connected, docker, unlessGone } from "./client";
import { notBase64 } from "./secret";
import { labels } from "./service/fields";

const forceNew = { forceNew: true } as const;

/** terraform-provider-docker v4.5.0, internal/provider/resource_docker_config.go, resourceDockerConfig: whatever changes, replaces. */
const FIELDS: Fields = {
  name: { kind: "text", ...forceNew },
  data: { kind: "text", ...forceNew },
  dataRaw: { kind: "text", ...forceNew },
  labels: { ...labels(forceNew), ...forceNew },
};

interface Seen {
  readonly Spec: { readonly Name: string; readonly Data: string; readonly Labels?: Readonly<Record<string, string>> };
}

export const serviceConfig: ResourceType = {
  inputs: Object.keys(FIELDS),
  required: [],
  refused: [],
  computed: [],
  updateRenewsComputed: false,
  mistakes(news) {
    const given = ["data", "dataRaw"].filter((name) => news[name] !== undefined && news[name] !== null);
    const one = given.length === 1 ? [] : [{ property: "data", reason: "expected exactly one of data, dataRaw" }];
    return [...mistakesIn(FIELDS, news), ...one, ...notBase64(news["data"])];
  },
  ...replacedWhole(FIELDS),
  async create(inputs) {
    await connected();
    const name = requiredText(inputs, "name");
    const raw = text(inputs, "dataRaw");
    const Data = raw === undefined || raw === "" ? (text(inputs, "data") ?? "") : Buffer.from(raw).toString("base64");
    const creation = docker().createConfig({ Name: name, Labels: labelTable(inputs) ?? {}, Data });
    const { id } = (await attempting(`config ${name}: cannot be created`, creation)) as unknown as { readonly id: string };
    return { id, outputs: keepSecrets(outputsOf(await inspect(id), planned(FIELDS, inputs, {})), inputs) };
  },
  async read(id, inputs, state) {
    await connected();
    const found = await unlessGone(inspect(id));
    if (found === undefined) return undefined;
    const now = outputsOf(found, state);
    return { inputs: refreshed(FIELDS, inputs, now), state: keepSecrets(now, inputs) };
  },
  async delete(id, state) {
    await connected();
    await attempting(`config ${requiredText(state, "name")}: cannot be removed`, docker().getConfig(id).remove());
  },
};

const inspect = async (id: string): Promise<Seen> => (await docker().getConfig(id).inspect()) as Seen;

/** resourceDockerConfigRead: in the form in which it was given. */
function outputsOf({ Spec: spec }: Seen, known: Props): Props {
  const raw = text(known, "dataRaw");
  return {
    name: spec.Name,
    ...(raw ? { dataRaw: Buffer.from(spec.Data, "base64").toString("utf8") } : { data: spec.Data }),
    labels: Object.entries(spec.Labels ?? {}).map(([label, value]) => ({ label, value })),
  };
}
