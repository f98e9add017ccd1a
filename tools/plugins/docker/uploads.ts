import { readFile } from "node:fs/promises";
import { flag, records, requiredText, text } from "../shared/properties";
import type { Props } from "../shared/values";
import { tarOf, type TarFile } from "./tar";

/** The files of `uploads` as one archive to unpack at the container's root, or `undefined` when there are none. */
export async function uploadArchive(inputs: Props): Promise<Buffer | undefined> {
  const uploads = records(inputs, "uploads") ?? [];
  if (uploads.length === 0) return undefined;
  return tarOf(await Promise.all(uploads.map(fileOf)));
}

async function fileOf(upload: Props): Promise<TarFile> {
  const path = requiredText(upload, "file");
  return {
    path,
    content: await contentOf(upload, path),
    mode: modeOf(upload, path),
    uid: identifier(upload, "owner", path),
    gid: identifier(upload, "group", path),
  };
}

async function contentOf(upload: Props, path: string): Promise<Buffer> {
  const given = (["content", "contentBase64", "source"] as const).filter((name) => (text(upload, name) ?? "") !== "");
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    throw new Error(`uploads: ${path}: expected exactly one of content, contentBase64 and source, got ${given.join(" and ") || "none"}`);
  }
  const value = requiredText(upload, kind);
  switch (kind) {
    case "content":
      return Buffer.from(value);
    case "contentBase64":
      return Buffer.from(value, "base64");
    case "source":
      return readFile(value);
  }
}

function modeOf(upload: Props, path: string): number {
  const permissions = text(upload, "permissions");
  if (permissions === undefined || permissions === "") return flag(upload, "executable") === true ? 0o744 : 0o644;
  if (!/^[0-7]{3,4}$/.test(permissions)) throw new Error(`uploads: ${path}: permissions: expected octal such as "0600", got "${permissions}"`);
  return Number.parseInt(permissions, 8);
}

function identifier(upload: Props, name: "owner" | "group", path: string): number {
  const value = text(upload, name);
  if (value === undefined || value === "") return 0;
  if (!/^\d+$/.test(value)) throw new Error(`uploads: ${path}: ${name}: this stand-in plugin takes numeric ids only, got "${value}"`);
  return Number(value);
}
