import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import type { Browser, Page } from "puppeteer-core";
import { writeSite } from "../../tools/site";
import { contents, ofRegistry } from "../../tools/site/contents";
import { htmlOf } from "../../tools/site/links";

const root = join(__dirname, "..", "..");
/** Clicks from the first page to any other. */
const furthest = 3;
const telephone = { width: 390, height: 844 };

interface Html {
  readonly ids: ReadonlySet<string>;
  readonly targets: readonly string[];
}

const folder = mkdtempSync(join(tmpdir(), "pulumi-swarm-site-"));
const pages = new Map<string, Html>();

function read(file: string): Html {
  const text = readFileSync(join(folder, file), "utf8");
  const all = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found = ""]) => found.replaceAll("&amp;", "&"));
  return { ids: new Set(all(/\sid="([^"]+)"/g)), targets: all(/<(?:a|img|link|script)\b[^>]*\s(?:href|src)="([^"]+)"/g) };
}

/** Where a link of a page leads within the site: a file and perhaps a heading. Undefined for other sites. */
function within(page: string, target: string): readonly [string, string] | undefined {
  if (/^[a-z]+:/.test(target)) return undefined;
  const [path = "", anchor = ""] = target.split("#");
  return [path === "" ? page : normalize(join(dirname(page), decodeURIComponent(path))), decodeURIComponent(anchor)];
}

describe("the site", function () {
  this.timeout(300_000);
  let problems: readonly string[];

  before(async () => {
    problems = await writeSite(root, folder);
    for (const file of htmlOf(folder)) pages.set(file, read(file));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("has every page of docs/ and every entry point", () => {
    assert.deepEqual(problems, []);
    const names = readdirSync(join(root, "docs")).flatMap((file) => (file.endsWith(".md") ? [file.slice(0, -3)] : []));
    assert.deepEqual([...Object.values(contents).flat(), ...ofRegistry].sort(), names.sort());
    for (const file of ["index.html", "docs/overlays.html", "reference/index.html", "reference/aws.html", "changelog.html"])
      assert.ok(pages.has(file), file);
  });

  it("leads nowhere that is not there", () => {
    const broken = [...pages].flatMap(([page, { targets }]) =>
      targets.flatMap((target) => {
        const to = within(page, target);
        if (!to) return URL.canParse(target) && !target.includes(".invalid") ? [] : [`${page}: ${target}: is no address`];
        const [file, anchor] = to;
        if (!existsSync(join(folder, file))) return [`${page}: ${target}: there is no such file`];
        return anchor === "" || !pages.has(file) || pages.get(file)?.ids.has(anchor) ? [] : [`${page}: ${target}: there is no such heading`];
      }),
    );
    assert.deepEqual([...new Set(broken)], []);
  });

  it(`reaches every page in ${furthest} clicks`, () => {
    const clicks = new Map([["index.html", 0]]);
    for (const [page, far] of clicks) {
      for (const target of pages.get(page)?.targets ?? []) {
        const [file = ""] = within(page, target) ?? [];
        if (pages.has(file) && !clicks.has(file)) clicks.set(file, far + 1);
      }
    }
    const far = [...pages.keys()].filter((page) => (clicks.get(page) ?? Infinity) > furthest);
    assert.deepEqual(far, []);
  });

  describe("in a browser", () => {
    let browser: Browser;
    let page: Page;
    const errors: string[] = [];

    before(async function () {
      const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((file) => existsSync(file));
      if (executablePath === undefined) {
        console.log("      no Chromium here (Debian: chromium): the site is not looked at in a browser");
        this.skip();
      }
      const { launch } = await import("puppeteer-core");
      browser = await launch({ executablePath, args: ["--no-sandbox", "--allow-file-access-from-files"] });
      page = await browser.newPage();
      page.on("pageerror", (error) => errors.push(String(error)));
    });
    after(() => browser?.close());

    const open = (file: string): Promise<unknown> => page.goto(`file://${join(folder, file)}`, { waitUntil: "load" });
    const written = (): string[] => [...pages.keys()].filter((file) => file === "index.html" || file.startsWith("docs/"));

    it("has on each page one title, and code in colours", async () => {
      for (const file of written()) {
        await open(file);
        const [titles, blocks, plain] = await page.evaluate(() => [
          document.querySelectorAll("h1").length,
          document.querySelectorAll("pre > code.ts").length,
          [...document.querySelectorAll("pre > code.ts")].filter((block) => block.querySelectorAll("span[class^=hl-]").length < 2).length,
        ]);
        assert.deepEqual([titles, plain], [1, 0], `${file}, ${blocks} blocks`);
      }
      assert.deepEqual(errors, []);
    });

    it("fits a telephone: nothing but tables and code is wider than the screen", async () => {
      await page.setViewport(telephone);
      for (const file of written()) {
        await open(file);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= telephone.width, `${file} is ${width} px wide`);
      }
    });

    it("is found by words, and can be dark", async () => {
      await page.setViewport({ width: 1280, height: 900 });
      await open("index.html");
      await page.click("#tsd-search-trigger");
      await page.type("#tsd-search-input", "overlay");
      await page.waitForFunction(() =>
        [...document.querySelectorAll("#tsd-search-results a")].some(({ textContent }) => /overlay/i.test(textContent ?? "")),
      );
      const background = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const colours = new Set<string>();
      for (const value of ["light", "dark"] as const) {
        await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
        colours.add(await background());
      }
      assert.equal(colours.size, 2);
    });
  });
});
