import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as typedoc from "typedoc";
import { createProgram, type EntryPoint, entryPoints } from "../docs/program";
import { entryOf, Listener, sayPreset, whatIsShown } from "../docs/reference";
import { contents, decisions, reference, releases } from "./contents";
import { Linker } from "./links";

/** A page of the site that somebody wrote. */
interface Page {
  /** Below the repository: `docs/aws.md`. */
  readonly file: string;
  readonly section: string;
  readonly title: string;
  readonly text: string;
}

/** Writes the site into a folder: the pages of docs/, and the reference out of the docstrings. @returns what is wrong, a line each. */
export async function writeSite(root: string, folder: string): Promise<readonly string[]> {
  const workplace = mkdtempSync(join(tmpdir(), "pulumi-swarm-site-"));
  try {
    return await write(root, folder, workplace);
  } finally {
    rmSync(workplace, { recursive: true });
  }
}

async function write(root: string, folder: string, workplace: string): Promise<readonly string[]> {
  const entries = entryPoints(root);
  const pages = pagesOf(root);
  const linker = new Linker(
    root,
    pages.map(({ file }) => file),
  );
  for (const { file, section, text } of [...pages, home(root, entries, pages)]) {
    const place = join(workplace, file);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, `${section === "" ? "" : `---\ncategory: ${section}\n---\n`}${linker.prepared(file, text)}`);
  }
  cpSync(join(root, "docs", "pictures"), join(workplace, "docs", "pictures"), { recursive: true });
  rmSync(folder, { recursive: true, force: true });
  const app = await typedoc.Application.bootstrap({
    ...whatIsShown,
    name: "pulumi-swarm",
    out: folder,
    readme: join(workplace, "README.md"),
    projectDocuments: pages.map(({ file }) => join(workplace, file)),
    hideGenerator: true,
    includeHierarchySummary: false,
    githubPages: true,
    router: "places",
    headings: { readme: false },
    customCss: join(__dirname, "site.css"),
    categoryOrder: [...Object.keys(contents), reference, decisions, releases],
    defaultCategory: reference,
    navigation: { includeGroups: false, includeCategories: true },
    highlightLanguages: ["ts", "typescript", "js", "json", "yaml", "sh", "bash", "shell", "python", "go", "csharp", "ini", "diff", "text", "console"],
    ignoredHighlightLanguages: ["mermaid"],
  });
  const heard = new Listener();
  app.logger = heard;
  const program = createProgram(root, entries);
  const project = app.converter.convert(entries.map((entry) => entryOf(program, entry)));
  const places = name(project, entries, pages);
  app.renderer.defineRouter(
    "places",
    class extends typedoc.KindRouter {
      protected override getIdealBaseName(reflection: typedoc.Reflection): string {
        return places.get(reflection) ?? super.getIdealBaseName(reflection);
      }
    },
  );
  for (const { comment } of Object.values(project.reflections)) sayPreset(comment);
  await app.generateOutputs(project);
  return [...heard.said, ...linker.finish(folder, project, app)];
}

/**
 * What is called by the name of its file is called by its heading, and entry points as they are imported.
 *
 * @returns where each is to lie: an address that stays when the heading changes.
 */
function name(project: typedoc.ProjectReflection, entries: readonly EntryPoint[], pages: readonly Page[]): Map<typedoc.Reflection, string> {
  const places = new Map<typedoc.Reflection, string>();
  project.documents?.forEach((document, index) => {
    const page = pages[index];
    if (!page) return;
    document.name = page.title.replaceAll("`", "");
    places.set(document, page.file.replace(/\.md$/, "").toLowerCase());
  });
  for (const module of project.children ?? []) {
    const entry = entries.find(({ page }) => page === module.name);
    if (!entry) continue;
    module.name = entry.name;
    places.set(module, `reference/${entry.page}`);
  }
  return places;
}

function pagesOf(root: string): Page[] {
  const read = (file: string, section: string): Page => {
    const text = readFileSync(join(root, file), "utf8");
    return { file, section, title: /^# (.+)$/m.exec(text)?.[1] ?? file, text };
  };
  return [
    ...Object.entries(contents).flatMap(([section, names]) => names.map((each) => read(`docs/${each}.md`, section))),
    ...readdirSync(join(root, "docs", "decisions")).map((file) => read(`docs/decisions/${file}`, decisions)),
    read("CHANGELOG.md", releases),
  ];
}

/** The README, and behind it a list of all pages: nobody has to search. */
function home(root: string, entries: readonly EntryPoint[], pages: readonly Page[]): Page {
  const sections = [...new Set(pages.map(({ section }) => section))];
  const lists = sections.map((section) => {
    const lines = pages.flatMap((page) => (page.section === section ? [`- [${page.title}](${page.file})`] : []));
    return `### ${section}\n${lines.join("\n")}\n`;
  });
  const entryLines = entries.map((entry) => `- [${entry.name}](docs/api/${entry.page}.md)\n`);
  const readme = readFileSync(join(root, "README.md"), "utf8");
  const text = `${readme}\n## All pages\n${lists.join("\n")}\n### Reference\n${entryLines.join("")}`;
  return { file: "README.md", section: "", title: "pulumi-swarm", text };
}
