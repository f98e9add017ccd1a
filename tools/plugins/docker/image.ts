import type { ImageInspectInfo } from "dockerode";
import type { ResourceType } from "../shared/plugin";
import { flag, requiredText, text } from "../shared/properties";
import { changedNames, type Props } from "../shared/values";
import { attempting, docker, reasonOf, statusOf, unlessGone } from "./client";

const INPUTS = ["name", "keepLocally", "forceRemove", "pullTriggers", "platform"];

export const remoteImage: ResourceType = {
  inputs: INPUTS,
  required: ["name"],
  refused: ["build", "triggers"],
  computed: ["imageId", "repoDigest"],
  updateRenewsComputed: true,
  diff({ olds, news }) {
    const changed = changedNames(INPUTS, olds, news);
    return { changed, replaces: changed.filter((name) => ["pullTriggers", "platform"].includes(name)), deleteBeforeReplace: false };
  },
  async create(inputs) {
    const image = await findOrPull(requiredText(inputs, "name"), text(inputs, "platform"));
    return { id: `${image.Id}${requiredText(inputs, "name")}`, outputs: outputsOf(inputs, image) };
  },
  async update(_id, { news }) {
    return outputsOf(news, await findOrPull(requiredText(news, "name"), text(news, "platform")));
  },
  async read(_id, inputs, state) {
    const image = await unlessGone(docker().getImage(requiredText(state, "name")).inspect());
    return image && { inputs, state: outputsOf(state, image) };
  },
  async delete(_id, state) {
    if (flag(state, "keepLocally") === true) return;
    const name = requiredText(state, "name");
    const removal = docker()
      .getImage(name)
      .remove({ force: flag(state, "forceRemove") ?? false });
    await attempting(`image ${name}: cannot be removed`, unlessGone(removal));
  },
};

function outputsOf(inputs: Props, image: ImageInspectInfo): Props {
  return { ...inputs, imageId: image.Id, repoDigest: image.RepoDigests?.[0] ?? "" };
}

/** The image of that name in the daemon, pulled when it is not there. */
export async function findOrPull(name: string, platform?: string): Promise<ImageInspectInfo> {
  const local = await unlessGone(docker().getImage(name).inspect());
  if (local !== undefined) return local;
  try {
    await pull(name, platform);
    return await docker().getImage(name).inspect();
  } catch (error) {
    const hint = statusOf(error) === undefined ? "" : ` (status ${statusOf(error)})`;
    throw new Error(`image ${name}: not in the daemon, and pulling it failed: ${reasonOf(error)}${hint}`);
  }
}

async function pull(name: string, platform: string | undefined): Promise<void> {
  // Without a tag the API pulls every tag there is.
  const reference = /[:@][^/]*$/.test(name) ? name : `${name}:latest`;
  const progress = await docker().pull(reference, platform === undefined ? {} : { platform });
  await new Promise<void>((resolve, reject) => {
    docker().modem.followProgress(progress, (error: Error | null) => (error ? reject(error) : resolve()));
  });
}
