import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/*
 * Links of pages: whether what they lead to is there. Addresses on the Internet are only looked at, not asked.
 */

/** @returns what is wrong with the links of a page, a line each. */
export function brokenLinks(root: string, page: string, text = readFileSync(join(root, page), "utf8")): readonly string[] {
  const own = anchorsOf(text);
  const prose = text.replaceAll(/^ *```[^]*?^ *```$/gm, "").replaceAll(/`[^`\n]*`/g, "");
  const targets = [...prose.matchAll(/\]\(([^)\s]*)\)/g), ...prose.matchAll(/\b(?:href|src|srcset)="([^"]*)"/g)].map(([, target = ""]) => target);
  return targets.flatMap((target) => {
    const problem = problemOf(root, page, target, own);
    return problem === undefined ? [] : [`${page}: ${target}: ${problem}`];
  });
}

function problemOf(root: string, page: string, target: string, own: ReadonlySet<string>): string | undefined {
  if (/^[a-z]+:/i.test(target)) return URL.canParse(target) && /^(https?|mailto):/.test(target) ? undefined : "is no address";
  const [path = "", anchor] = target.split("#");
  if (path === "") return own.has(anchor ?? "") ? undefined : "there is no such heading";
  const file = join(root, page, "..", decodeURIComponent(path));
  if (relative(root, file).startsWith("..")) return "leads out of the repository";
  if (!existsSync(file)) return "there is no such file";
  if (anchor === undefined) return undefined;
  if (!file.endsWith(".md")) return "only pages have headings to lead to";
  return anchorsOf(readFileSync(file, "utf8")).has(anchor) ? undefined : "there is no such heading";
}

/** As GitHub makes them of headings: lower case, no punctuation, hyphens for blanks, a number behind one that was there before. */
export function anchorsOf(text: string): ReadonlySet<string> {
  const anchors = new Set([...text.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, id = ""]) => id));
  const prose = text.replaceAll(/^ *```[^]*?^ *```$/gm, "");
  for (const [, heading = ""] of prose.matchAll(/^#+ (.+)$/gm)) {
    const plain = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").trim();
    const slug = plain
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
      .replaceAll(" ", "-");
    let name = slug;
    for (let count = 1; anchors.has(name); count += 1) name = `${slug}-${count}`;
    anchors.add(name);
  }
  return anchors;
}
