import { execFileSync } from "node:child_process";

/** All pages of the repository that somebody reads, as git has them or would. The reports in api/ are no pages. */
export function pagesIn(root: string): readonly string[] {
  return execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "--", "*.md", ":!api"], { cwd: root, encoding: "utf8" })
    .split("\n")
    .filter(Boolean);
}
