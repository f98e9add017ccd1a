import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { notesOf, versionOf } from "../../tools/release/notes";

const changelog =
  "# Changelog\n\n## Unreleased\n### Added\n- later\n\n## 0.2.0 - 2026-12-01\n### Fixed\n- one\n\n- two\n\n## [0.1.0]\n- first\n\n## 0.0.9\n";

describe("the notes of a release", () => {
  it("are the changelog's section of its version", () => {
    assert.equal(notesOf(changelog, "0.2.0"), "### Fixed\n- one\n\n- two\n");
    assert.equal(notesOf(changelog, "0.1.0"), "- first\n");
  });

  it("are what this changelog says, once its heading Unreleased has the number", () => {
    const own = readFileSync(join(__dirname, "..", "..", "CHANGELOG.md"), "utf8");
    const notes = notesOf(own.replace("## Unreleased", "## 99.0.0 - 2026-12-01"), "99.0.0");
    assert.match(notes, /^### (Added|Changed|Fixed)\n- /);
  });

  it("are refused where the changelog has none", () => {
    assert.throws(() => notesOf(changelog, "0.2"), /CHANGELOG\.md has no heading "## 0\.2"\. Fix: give the heading "Unreleased" this number/);
    assert.throws(() => notesOf(changelog, "0.0.9"), /says nothing below "## 0\.0\.9"/);
  });

  it("are refused for a tag of another version", () => {
    assert.equal(versionOf("v0.2.0", "0.2.0"), "0.2.0");
    assert.throws(() => versionOf("v0.2.1", "0.2.0"), /the tag is v0\.2\.1, and package\.json has version 0\.2\.0: expected the tag v0\.2\.0/);
  });
});
