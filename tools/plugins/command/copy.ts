import { readFile, readdir, stat } from "node:fs/promises";
import { basename, join, posix } from "node:path";
import type { Client, SFTPWrapper } from "ssh2";
import { nameOf, randomHex, type Context, type ResourceType } from "../shared/plugin";
import { requiredText } from "../shared/properties";
import { changedNames, isArchive, isAsset, isRecord, reveal, sameValue, type Props } from "../shared/values";
import { replacedByTriggers } from "./command";
import { overSsh } from "./ssh";

const INPUTS = ["connection", "source", "remotePath", "triggers"];

export const copyToRemote: ResourceType = {
  inputs: INPUTS,
  required: ["connection", "source", "remotePath"],
  refused: [],
  computed: [],
  updateRenewsComputed: false,
  diff: ({ olds, news }) => replacedByTriggers(changedNames(INPUTS, olds, news)),
  async create(inputs, context) {
    await copy(inputs, context);
    return { id: `${nameOf(context.urn)}${randomHex(8)}`, outputs: inputs };
  },
  async update(_id, { state, news }, context) {
    // As the real one: another connection alone does not copy again.
    const moved = !sameValue(state["source"], news["source"]) || !sameValue(state["remotePath"], news["remotePath"]);
    if (moved) await copy(news, context);
    return news;
  },
  read: (_id, inputs, state) => Promise.resolve({ inputs, state }),
  delete: () => Promise.resolve(),
};

type Entry = { readonly path: string; readonly content: Buffer | undefined };

interface Source {
  readonly basename: string | undefined;
  /** A directory's path that ends in a slash means its contents. */
  readonly contentsOnly: boolean;
  /** With "" for the path of a lone file; directories come before what is in them and have no content. */
  readonly entries: readonly Entry[];
}

async function copy(inputs: Props, context: Context): Promise<void> {
  const source = await readSource(reveal(inputs["source"]));
  const remotePath = requiredText(inputs, "remotePath");
  await overSsh(inputs, context, async (client) => {
    const sftp = await openSftp(client);
    const isDirectory = await isRemoteDirectory(sftp, remotePath);
    const inside = isDirectory && source.basename !== undefined && !source.contentsOnly;
    const target = inside ? posix.join(remotePath, source.basename ?? "") : remotePath;
    for (const entry of source.entries) {
      const path = entry.path === "" ? target : posix.join(target, entry.path);
      if (entry.content === undefined) await makeDirectory(sftp, path);
      else await writeFile(sftp, path, entry.content);
    }
  });
}

async function readSource(source: unknown): Promise<Source> {
  if (!isAsset(source) && !isArchive(source)) throw new Error("source: expected an asset or an archive");
  const path = source["path"];
  if (isAsset(source)) {
    if (typeof path === "string" && path !== "") {
      return { basename: basename(path), contentsOnly: false, entries: [{ path: "", content: await readFile(path) }] };
    }
    return { basename: undefined, contentsOnly: false, entries: [{ path: "", content: assetText(source) }] };
  }
  if (isRecord(source["assets"])) {
    return { basename: undefined, contentsOnly: true, entries: await assetEntries(source["assets"]) };
  }
  if (typeof path === "string" && path !== "") {
    if (!(await stat(path)).isDirectory()) throw new Error(`source: ${path} is a packed archive; this stand-in plugin copies directories only`);
    return { basename: basename(path), contentsOnly: path.endsWith("/"), entries: await directoryEntries(path, "") };
  }
  throw new Error("source: remote archives are left out of this stand-in plugin; use the real one");
}

async function assetEntries(assets: Record<string, unknown>): Promise<Entry[]> {
  const entries: Entry[] = [{ path: "", content: undefined }];
  for (const [name, asset] of Object.entries(assets)) {
    const nested = await readSource(asset);
    entries.push(...nested.entries.map((entry) => ({ ...entry, path: posix.join(name, entry.path) })));
  }
  return entries;
}

async function directoryEntries(root: string, below: string): Promise<Entry[]> {
  const entries: Entry[] = [{ path: below, content: undefined }];
  const children = await readdir(join(root, below), { withFileTypes: true });
  for (const child of children.sort((left, right) => left.name.localeCompare(right.name))) {
    const path = posix.join(below, child.name);
    if (child.isDirectory()) entries.push(...(await directoryEntries(root, path)));
    else entries.push({ path, content: await readFile(join(root, path)) });
  }
  return entries;
}

function assetText(asset: Record<string, unknown>): Buffer {
  if (typeof asset["uri"] === "string" && asset["uri"] !== "") {
    throw new Error("source: remote assets are left out of this stand-in plugin; use the real one");
  }
  return Buffer.from(typeof asset["text"] === "string" ? asset["text"] : "");
}

function openSftp(client: Client): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp))));
}

function isRemoteDirectory(sftp: SFTPWrapper, path: string): Promise<boolean> {
  return new Promise((resolve) => sftp.stat(path, (error, found) => resolve(!error && found.isDirectory())));
}

async function makeDirectory(sftp: SFTPWrapper, path: string): Promise<void> {
  if (await isRemoteDirectory(sftp, path)) return;
  await new Promise<void>((resolve, reject) => {
    sftp.mkdir(path, (error) => (error ? reject(new Error(`remotePath: cannot make the directory ${path}: ${error.message}`)) : resolve()));
  });
}

function writeFile(sftp: SFTPWrapper, path: string, content: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    sftp.writeFile(path, content, (error) => (error ? reject(new Error(`remotePath: cannot write ${path}: ${error.message}`)) : resolve()));
  });
}
