import type { VolumeInspectInfo } from "dockerode";
import { completeName, isGeneratedName, type ResourceType } from "../shared/plugin";
import { labels, requiredText, text, textTable } from "../shared/properties";
import { changedNames, type Props } from "../shared/values";
import { attempting, docker, unlessGone } from "./client";

const INPUTS = ["name", "driver", "driverOpts", "labels"];

export const volume: ResourceType = {
  inputs: INPUTS,
  required: [],
  refused: ["cluster"],
  computed: ["mountpoint"],
  updateRenewsComputed: false,
  complete: completeName,
  diff({ olds, news }) {
    const changed = changedNames(INPUTS, olds, news);
    return { changed, replaces: changed, deleteBeforeReplace: changed.length > 0 && !isGeneratedName(news) };
  },
  async create(inputs) {
    const name = requiredText(inputs, "name");
    const creation = docker().createVolume({
      Name: name,
      Driver: text(inputs, "driver") ?? "local",
      DriverOpts: textTable(inputs, "driverOpts") ?? {},
      Labels: labels(inputs) ?? {},
    });
    await attempting(`volume ${name}: cannot be created`, creation);
    return { id: name, outputs: outputsOf(inputs, await docker().getVolume(name).inspect()) };
  },
  update(_id, { state, news }) {
    return Promise.resolve({ ...state, ...news });
  },
  async read(id, inputs, state) {
    const found = await unlessGone(docker().getVolume(id).inspect());
    return found && { inputs, state: outputsOf(state, found) };
  },
  async delete(id) {
    await attempting(`volume ${id}: cannot be removed`, unlessGone(docker().getVolume(id).remove()));
  },
};

function outputsOf(inputs: Props, found: VolumeInspectInfo): Props {
  return { driver: found.Driver, ...inputs, mountpoint: found.Mountpoint };
}
