import { setTimeout as delay } from "node:timers/promises";
import type { NetworkInspectInfo } from "dockerode";
import { completeWith, type Defaults, withDefaults } from "../shared/defaults";
import { isGeneratedName, type Context, type ResourceType } from "../shared/plugin";
import { flag, labels, records, requiredText, text, textTable } from "../shared/properties";
import { changedNames, replaceRevealed, withoutUndefined, type Props } from "../shared/values";
import { attempting, docker, reasonOf, unlessGone } from "./client";

const INPUTS = ["name", "driver", "internal", "attachable", "ipamConfigs", "ipamDriver", "ipamOptions", "options", "labels", "ipv6", "ingress"];
/** terraform-provider-docker, internal/provider/resource_docker_network.go. */
const DEFAULTS: Defaults = { own: { ipamDriver: "default" }, within: {} };
const ENDPOINTS_LEAVE_MILLISECONDS = 30_000;

export const network: ResourceType = {
  inputs: INPUTS,
  required: [],
  refused: ["checkDuplicate"],
  computed: ["scope"],
  updateRenewsComputed: false,
  complete: completeWith(DEFAULTS),
  diff({ olds, news }) {
    const changed = changedNames(INPUTS, withDefaults(olds, DEFAULTS), withDefaults(news, DEFAULTS));
    return { changed, replaces: changed, deleteBeforeReplace: changed.length > 0 && !isGeneratedName(news) };
  },
  async create(inputs) {
    const name = requiredText(inputs, "name");
    const created = await attempting(
      `network ${name}: cannot be created`,
      docker().createNetwork({
        Name: name,
        CheckDuplicate: true,
        Driver: text(inputs, "driver") ?? "bridge",
        Internal: flag(inputs, "internal") ?? false,
        Attachable: flag(inputs, "attachable") ?? false,
        Ingress: flag(inputs, "ingress") ?? false,
        EnableIPv6: flag(inputs, "ipv6") ?? false,
        Options: textTable(inputs, "options") ?? {},
        Labels: labels(inputs) ?? {},
        IPAM: {
          Driver: text(inputs, "ipamDriver") ?? "default",
          Options: textTable(inputs, "ipamOptions") ?? {},
          Config: ipamConfigs(inputs),
        },
      }),
    );
    return { id: created.id, outputs: outputsOf(inputs, await docker().getNetwork(created.id).inspect()) };
  },
  update(_id, { state, news }) {
    return Promise.resolve({ ...state, ...news });
  },
  async read(id, inputs, state) {
    const found: NetworkInspectInfo | undefined = await unlessGone(docker().getNetwork(id).inspect());
    if (found === undefined) return undefined;
    const refreshed = { ...inputs, ...refreshedIpam(inputs, found) };
    return { inputs: refreshed, state: outputsOf({ ...state, ...refreshed }, found) };
  },
  async delete(id, state, context) {
    const name = text(state, "name") ?? id;
    await removeWhenUnused(id, name, context);
  },
};

function ipamConfigs(inputs: Props) {
  return (records(inputs, "ipamConfigs") ?? []).map((config) => ({
    ...optional("Subnet", text(config, "subnet")),
    ...optional("Gateway", text(config, "gateway")),
    ...optional("IPRange", text(config, "ipRange")),
    ...optional("AuxiliaryAddresses", textTable(config, "auxAddress")),
  }));
}

function optional<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, V>);
}

/** As the real one: what the daemon chose by itself, such as a gateway, shows as a difference after a refresh. */
function refreshedIpam(inputs: Props, found: NetworkInspectInfo): Props {
  if (inputs["ipamConfigs"] === undefined) return {};
  const configs = (found.IPAM?.Config ?? []).map((raw) => {
    const config = raw as Record<string, unknown>;
    const auxiliary = config["AuxiliaryAddresses"];
    return withoutUndefined({
      subnet: config["Subnet"] || undefined,
      gateway: config["Gateway"] || undefined,
      ipRange: config["IPRange"] || undefined,
      auxAddress: auxiliary && Object.keys(auxiliary).length > 0 ? auxiliary : undefined,
    });
  });
  return { ipamConfigs: replaceRevealed(inputs["ipamConfigs"], configs) };
}

/** All that the real one reads: seen of 5.2.0. It would replace a network of whose `options` it does not know that there are none. */
function outputsOf(inputs: Props, found: NetworkInspectInfo): Props {
  return {
    ...{ driver: found.Driver, internal: found.Internal, attachable: found.Attachable, ingress: found.Ingress, ipv6: found.EnableIPv6 },
    ...{ ipamDriver: found.IPAM?.Driver, labels: [], options: {} },
    ...inputs,
    scope: found.Scope,
  };
}

/** A container that was removed a moment ago may still hold its endpoint. */
async function removeWhenUnused(id: string, name: string, context: Context): Promise<void> {
  const limit = Date.now() + ENDPOINTS_LEAVE_MILLISECONDS;
  for (;;) {
    try {
      await unlessGone(docker().getNetwork(id).remove());
      return;
    } catch (error) {
      const reason = reasonOf(error);
      if (!reason.includes("has active endpoints")) throw new Error(`network ${name}: cannot be removed: ${reason}`);
      // It says neither which network nor why. Its own timer is that of the plugin SDK: resource_docker_network_funcs.go.
      if (Date.now() > limit) throw new Error("timeout while waiting for state to become 'removed' (last state: 'pending', timeout: 30s)");
    }
    await delay(200, undefined, { signal: context.signal });
  }
}
