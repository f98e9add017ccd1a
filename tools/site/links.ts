import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type * as typedoc from "typedoc";

/** Stands for the site's own first folder until every page has its place. */
const top = "https://site.invalid/";

/** Leads links of pages in the repository to where they are on the site. */
export class Linker {
  private readonly repository: string;

  constructor(
    private readonly root: string,
    private readonly pages: readonly string[],
  ) {
    const { repository } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { repository?: { url: string } };
    this.repository = (repository?.url ?? "").replace(/^git\+/, "").replace(/\.git$/, "");
  }

  /** A page's text with links that typedoc follows, or that `finish` does. */
  prepared(page: string, text: string): string {
    const lead = (link: string, path: string, anchor = ""): string => {
      if (/^[a-z]+:/i.test(path) || path === "") return link;
      const target = relative(this.root, join(this.root, dirname(page), path));
      if (target === "README.md") return `](${top}index.html${anchor})`;
      if (target.startsWith("docs/api/")) return `](${top}${target}${anchor})`;
      if (this.pages.includes(target) || target.startsWith("docs/pictures/")) return link;
      const kind = statSync(join(this.root, target)).isDirectory() ? "tree" : "blob";
      return `](${this.repository}/${kind}/main/${target}${anchor})`;
    };
    // Not in blocks of code.
    return text
      .split(/(^ *```[^]*?^ *```$)/m)
      .map((part, index) => (index % 2 === 1 ? part : part.replaceAll(/\]\(([^)#\s]*)(#[^)\s]*)?\)/g, lead)))
      .join("");
  }

  /** Puts every page's way to another in place of the names that stand for them. @returns what leads nowhere, a line each. */
  finish(folder: string, project: typedoc.ProjectReflection, app: typedoc.Application): readonly string[] {
    const reference = new Map<string, string>();
    const router = app.renderer.router;
    for (const module of project.children ?? []) {
      const page = module.name === "pulumi-swarm" ? "index" : module.name.split("/").slice(1).join("-");
      const address = (each: typedoc.Reflection): string => router?.getFullUrl(each) ?? "";
      reference.set(`docs/api/${page}.md`, address(module));
      for (const child of module.children ?? []) reference.set(`docs/api/${page}.md#${child.name.toLowerCase()}`, address(child));
    }
    reference.set("docs/api/README.md", "modules.html");
    const problems: string[] = [];
    for (const file of htmlOf(folder)) {
      const base = relative(dirname(file), ".") || ".";
      const text = readFileSync(join(folder, file), "utf8");
      const led = text.replaceAll(/https:\/\/site\.invalid\/([^"]*)/g, (_whole, target: string) => {
        if (target.startsWith("index.html")) return `${base}/${target}`;
        const found = reference.get(target);
        if (found === undefined) problems.push(`${file}: ${target}: there is no such thing in the reference`);
        return `${base}/${found ?? ""}`;
      });
      if (led !== text) writeFileSync(join(folder, file), led);
    }
    return problems;
  }
}

/** Every page below a folder. */
export function htmlOf(folder: string, below = ""): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    if (entry.isDirectory()) return htmlOf(folder, path);
    return entry.name.endsWith(".html") ? [path] : [];
  });
}
