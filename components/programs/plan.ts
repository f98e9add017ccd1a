import type { Problem } from "../report";
import { type Report, show } from "../report";
import { reportStray } from "../options";
import { type ProgramArgs, programOptions } from "./args";
import { type HostProgram, isArchive, type ProgramSource } from "./program";

/** What is taken where the user says nothing. */
export interface ProgramDefaults {
  readonly name: string;
  /** The tag too. */
  readonly version: string;
  /** Image without a tag, with its registry: `ghcr.io/flannel-io/flannel`. */
  readonly image: string;
  /** File name on the host to the path in the image. */
  readonly files: Readonly<Record<string, string>>;
}

/** As in a program without types. */
type Given = Readonly<Record<string, unknown>>;

const known = Object.keys(programOptions.names);
const stray = { of: programOptions.of, known, others: { tag: "version" } };

// The grammar of image names: https://github.com/distribution/reference/blob/main/regexp.go
const host = String.raw`(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?`;
const folders = String.raw`[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*`;
const tag = String.raw`[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`;
const digestForm = /^sha256:[0-9a-f]{64}$/;
const imageForm = new RegExp(`^(?<name>(?:${host}/)?${folders})(?::(?<tag>${tag}))?$`);
const mirrorForm = new RegExp(`^(?<host>${host})(?:/${folders})?$`);
const tagForm = new RegExp(`^${tag}$`);

/** Whether Docker takes it for an image: by its name, or by its id. */
export function isImage(text: string): boolean {
  const [name = "", digest] = text.split(/@(?=sha256:)/);
  return imageForm.test(name) && (digest === undefined || digestForm.test(digest));
}

/** @param path Of the argument, for problems: `overlay.router`. @param mirror Registry in place of the default image's own. */
export function planProgram(
  defaults: ProgramDefaults,
  args: ProgramArgs | undefined,
  path: string,
  mirror: string | undefined,
): { readonly program: HostProgram; readonly problems: readonly Problem[] } {
  const check = new Checks(path);
  if (args !== undefined && (typeof args !== "object" || args === null || Array.isArray(args))) {
    check.refuse("", `${show(args)} does not say where ${defaults.name} comes from`, "give { version }, { image }, or { url, sha256, version }");
    return { program: fromImage(defaults, {}, mirror, check), problems: check.problems };
  }
  const given: Given = { ...args };
  for (const key of Object.keys(given).filter((each) => !known.includes(each))) reportStray(key, stray, path, check.report);
  const isFile = given["url"] !== undefined || given["sha256"] !== undefined;
  const program = isFile ? fromFile(defaults, given, check) : fromImage(defaults, given, mirror, check);
  return { program, problems: check.problems };
}

/** What is wrong with the registry that stands in for those of the default images. */
export function mirrorProblems(mirror: unknown): Problem[] {
  if (mirror === undefined) return [];
  const problem = (message: string, fix: string): Problem[] => [{ path: "programs.mirror", message, fix }];
  const example = "10.0.0.1:5000 or registry.example.com/mirror";
  const registry = typeof mirror === "string" ? mirrorForm.exec(mirror)?.groups?.["host"] : undefined;
  if (registry === undefined || !isPort(/:(\d+)$/.exec(registry)?.[1])) {
    const scheme = typeof mirror === "string" && mirror.includes("://") ? ", without http:// or https://" : "";
    return problem(`${show(mirror)} is not a registry`, `write host, host:port or host:port/path${scheme}, such as ${example}`);
  }
  // https://docs.docker.com/reference/cli/docker/image/tag: a first part like this is a folder on Docker Hub.
  if (!/[.:]/.test(registry) && registry !== "localhost") {
    return problem(`Docker takes ${show(registry)} for a name on Docker Hub, not for a registry`, `write the port too: ${registry}:443`);
  }
  return [];
}

function isPort(text: string | undefined): boolean {
  return text === undefined || (Number(text) >= 1 && Number(text) <= 65_535);
}

function fromImage(defaults: ProgramDefaults, given: Given, mirror: string | undefined, check: Checks): HostProgram {
  const named = check.image(given["image"]);
  if (named?.tag !== undefined && given["version"] !== undefined) {
    check.refuse("version", `the image has the tag ${show(named.tag)}, and version is given too`, "keep one of them");
  }
  const version = check.version(given["version"]) ?? named?.tag ?? defaults.version;
  const digest = check.digest(given["digest"]);
  const reference = `${named?.name ?? mirrored(defaults.image, mirror)}:${version}${digest === undefined ? "" : `@${digest}`}`;
  return { name: defaults.name, version, source: { kind: "image", reference, files: defaults.files } };
}

/** The part up to the first slash is the registry of a default image. */
function mirrored(image: string, mirror: string | undefined): string {
  return mirror === undefined ? image : `${mirror}${image.slice(image.indexOf("/"))}`;
}

function fromFile(defaults: ProgramDefaults, given: Given, check: Checks): HostProgram {
  for (const key of ["image", "digest"] as const) {
    if (given[key] === undefined) continue;
    const both = given["url"] === undefined ? "sha256" : "url";
    check.refuse(key, `${both} is given too: a program comes out of an image or from a file`, `keep ${key} or ${both}`);
  }
  const files = Object.keys(defaults.files);
  const url = check.url(given["url"]);
  if (url !== undefined && files.length > 1 && !isArchive(url)) {
    check.refuse("url", `one file cannot be ${files.join(" and ")}`, "give a .tar.gz that holds them");
  }
  if (given["version"] === undefined) {
    check.refuse("version", "a file's version is not given", `say which version of ${defaults.name} it is: the preview shows it`);
  }
  const version = check.version(given["version"]) ?? defaults.version;
  const source: ProgramSource = { kind: "file", url: url ?? "", sha256: check.sha256(given["sha256"]) ?? "", files };
  return { name: defaults.name, version, source };
}

/** Reads one argument after the other and collects what is wrong with them. */
class Checks {
  readonly problems: Problem[] = [];

  constructor(private readonly path: string) {}

  readonly report: Report = (path, message, fix) => void this.problems.push({ path, message, fix });

  refuse(key: string, message: string, fix: string): undefined {
    this.problems.push({ path: key === "" ? this.path : `${this.path}.${key}`, message, fix });
  }

  version(value: unknown): string | undefined {
    if (value === undefined || (typeof value === "string" && tagForm.test(value))) return value;
    return this.refuse(
      "version",
      `${show(value)} is not a version`,
      "write it as the image's tag, such as v1.2.3: letters, digits, dots, dashes and underscores",
    );
  }

  image(value: unknown): { readonly name: string; readonly tag?: string } | undefined {
    if (value === undefined) return undefined;
    if (typeof value === "string" && value.includes("@")) {
      return this.refuse("image", `${show(value)} has a digest in it`, "give what follows the @ as digest");
    }
    const { name, tag } = (typeof value === "string" && imageForm.exec(value)?.groups) || {};
    if (name === undefined) {
      return this.refuse("image", `${show(value)} is not the name of an image`, "write registry/name, such as registry.example.com/flannel");
    }
    return { name, ...(tag !== undefined && { tag }) };
  }

  digest(value: unknown): string | undefined {
    if (value === undefined || (typeof value === "string" && digestForm.test(value))) return value;
    return this.refuse("digest", `${show(value)} is not an image's digest`, "write sha256: and 64 hexadecimal digits, as docker pull prints it");
  }

  sha256(value: unknown): string | undefined {
    if (value === undefined) return this.refuse("sha256", "a file's checksum is not given", "write what sha256sum prints of it");
    if (typeof value === "string" && /^[0-9a-f]{64}$/i.test(value)) return value.toLowerCase();
    return this.refuse("sha256", `${show(value)} is not a SHA-256 checksum`, "write the 64 hexadecimal digits that sha256sum prints");
  }

  url(value: unknown): string | undefined {
    const fix = "write one that begins with https://, http:// or, for a file that lies on each host, file:///";
    if (value === undefined) return this.refuse("url", "it is not said where the file with this checksum is", fix);
    if (typeof value !== "string" || !URL.canParse(value) || /[\s\p{Cc}]/u.test(value))
      return this.refuse("url", `${show(value)} is not an address`, fix);
    const { protocol, username, password, hostname, pathname } = new URL(value);
    if (!["https:", "http:", "file:"].includes(protocol)) return this.refuse("url", `hosts cannot fetch from ${protocol}`, fix);
    if (username !== "" || password !== "") {
      return this.refuse(
        "url",
        "it has a user's name or password in it, which the preview would show",
        "put the file where no password is asked for",
      );
    }
    if (protocol === "file:" && (hostname !== "" || pathname.endsWith("/"))) {
      return this.refuse("url", `${show(value)} is not a file on each host`, "write file:/// and the whole path");
    }
    return value;
  }
}
