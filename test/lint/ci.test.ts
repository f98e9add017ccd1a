import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";

const root = join(__dirname, "..", "..");

interface Step {
  readonly run?: string;
  readonly uses?: string;
}
interface Job {
  readonly "runs-on"?: string;
  readonly steps?: readonly Step[];
  readonly environment?: string;
  readonly needs?: string | readonly string[];
  readonly permissions?: Readonly<Record<string, string>>;
}
interface Workflow {
  readonly on: unknown;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const read = (file: string): unknown => parse(readFileSync(join(root, file), "utf8"));
const own = [".github/workflows/preview.yaml", ".github/workflows/release.yaml"];
const github = [...own, "examples/ci/github/preview.yaml", "examples/ci/github/up.yaml", "examples/ci/github/drift.yaml"];
const gitlab = read("examples/ci/gitlab/.gitlab-ci.yml") as Readonly<
  Record<string, { readonly script?: readonly string[]; readonly rules?: readonly { readonly when?: string }[]; readonly environment?: string }>
>;

describe("the workflows", () => {
  for (const file of github) {
    it(`have jobs that GitHub takes, and scripts that a shell takes: ${file}`, () => {
      const { on, permissions, jobs } = read(file) as Workflow;
      assert.ok(on, "on");
      assert.equal(permissions["contents"], "read");
      for (const [name, job] of Object.entries(jobs)) {
        assert.ok(job["runs-on"], `${name} runs somewhere`);
        const steps = job.steps ?? [];
        assert.ok(
          steps.length > 0 && steps.every(({ run, uses }) => (run === undefined) !== (uses === undefined)),
          `each step of ${name} does one thing`,
        );
        for (const { run } of steps) if (run !== undefined) checkScript(run);
      }
    });
  }

  it("build the site and attach it to the release", () => {
    const { jobs } = read(".github/workflows/release.yaml") as Workflow;
    const scriptsOf = (job: string): string => (jobs[job]?.steps ?? []).map(({ run = "" }) => run).join("\n");
    assert.match(scriptsOf("pack"), /npm run site\ntar -czf pulumi-swarm-site\.tar\.gz site$/m);
    assert.match(scriptsOf("notes"), /gh release create .* \.\/pulumi-swarm-site\.tar\.gz/);
  });

  it("take actions by their commit, with the version beside it", () => {
    for (const file of own) {
      const taken = readFileSync(join(root, file), "utf8").match(/uses: .*/g) ?? [];
      assert.ok(taken.length > 0, file);
      assert.deepEqual(
        taken.filter((line) => !/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+/.test(line)),
        [],
        file,
      );
    }
  });

  it("release nothing before all of it was built and tested, and give the right to publish to nothing else", () => {
    const { jobs } = read(".github/workflows/release.yaml") as Workflow;
    const before = (name: string): readonly string[] => {
      const needs = [jobs[name]?.needs ?? []].flat();
      return [...needs, ...needs.flatMap(before)];
    };
    for (const name of ["publish", "pypi", "nuget", "go", "notes"]) {
      const steps = before(name);
      assert.ok(steps.includes("pack") && steps.includes("sdks"), `${name} waits for pack and sdks`);
    }
    const byRight = (right: string): readonly string[] => Object.keys(jobs).filter((name) => jobs[name]?.permissions?.[right] === "write");
    assert.deepEqual(byRight("id-token"), ["publish", "pypi", "nuget"]);
    assert.deepEqual(byRight("contents"), ["go", "notes"]);
    assert.deepEqual(
      ["publish", "pypi", "nuget"].map((name) => jobs[name]?.environment),
      ["npm", "pypi", "nuget"],
    );
  });

  it("look for drift each night beside no up, and fail after the whole look is shown", () => {
    const { on, concurrency, jobs } = read("examples/ci/github/drift.yaml") as Workflow & { readonly concurrency: { readonly group: string } };
    assert.ok("schedule" in (on as object));
    assert.equal(concurrency.group, (read("examples/ci/github/up.yaml") as { concurrency: { group: string } }).concurrency.group);
    const script = (jobs["drift"]?.steps ?? []).map(({ run = "" }) => run).find((run) => run.includes("pulumi-swarm status")) ?? "";
    const stub = `npx() { echo "drifted: $*"; return 2; }\n${script}`;
    const ran = spawnSync("bash", ["-e", "-c", stub], {
      encoding: "utf8",
      cwd: mkdtempSync(join(tmpdir(), "drift-")),
      env: { ...process.env, STACK: "prod", GITHUB_STEP_SUMMARY: "summary.md" },
    });
    assert.deepEqual([ran.status, ran.stdout], [2, "drifted: pulumi-swarm status --stack prod --timeout 30 --fail-on drift\n"], ran.stderr);
  });

  it("have scripts that a shell takes: GitLab", () => {
    const scripts = Object.values(gitlab).flatMap(({ script }) => script ?? []);
    assert.ok(scripts.length >= 6);
    scripts.forEach(checkScript);
  });

  it("write the comment before the gate refuses, and make nothing without approval", () => {
    const { jobs } = read("examples/ci/github/preview.yaml") as Workflow;
    const runs = (jobs["preview"]?.steps ?? []).map(({ run }) => run ?? "");
    for (const lines of [runs, gitlab["preview"]?.script ?? []]) {
      const [comment, gate] = [lines.findIndex((line) => line.includes("comment.js")), lines.findIndex((line) => line.includes("--fail-on"))];
      assert.ok(comment >= 0 && comment < gate, lines.join("\n"));
    }
    const { up } = (read("examples/ci/github/up.yaml") as Workflow).jobs;
    assert.deepEqual([up?.environment, up?.needs], ["production", "preview"]);
    assert.deepEqual([gitlab["up"]?.environment, gitlab["up"]?.rules?.map(({ when }) => when)], ["production", ["manual"]]);
  });
});

/** What an expression of the workflow puts into a script is run, so that a branch's name could be a command. */
function checkScript(script: string): void {
  assert.doesNotMatch(script, /\$\{\{/, "values come by the environment");
  const parsed = spawnSync("sh", ["-n"], { input: script, encoding: "utf8" });
  assert.equal(parsed.status, 0, parsed.stderr);
  const { error, status, stdout } = spawnSync("shellcheck", ["--shell=bash", "-"], { input: script, encoding: "utf8" });
  if (!error) assert.equal(status, 0, stdout);
}

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly body?: string;
  readonly token?: string;
}

describe("the comment of a review", function () {
  this.timeout(20_000);
  let folder = "";
  let server: Server;
  let comments: { id: number; body: string }[] = [];
  let refused = false;
  const asked: Asked[] = [];

  before((done) => {
    folder = mkdtempSync(join(tmpdir(), "comment-"));
    writeFileSync(join(folder, "review.md"), "<!-- pulumi-swarm review -->\n# Two hosts more\n");
    server = createServer((request, response) => {
      let text = "";
      request.on("data", (data) => (text += String(data)));
      request.on("end", () => {
        const { method = "", url = "", headers } = request;
        const token = headers.authorization ?? headers["private-token"];
        const { body } = (text === "" ? {} : JSON.parse(text)) as { body?: string };
        asked.push({ method, url, ...(body !== undefined && { body }), ...(typeof token === "string" && { token }) });
        response.writeHead(refused ? 403 : 200, { "content-type": "application/json" });
        const page = Number(new URL(url, "http://host").searchParams.get("page"));
        response.end(JSON.stringify(refused ? { message: "no" } : method === "GET" ? comments.slice((page - 1) * 100, page * 100) : { id: 1 }));
      });
    }).listen(0, "127.0.0.1", done);
  });
  beforeEach(() => {
    [comments, refused] = [[], false];
    asked.length = 0;
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  const base = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const onGitHub = (): NodeJS.ProcessEnv => ({ GITHUB_API_URL: base(), GITHUB_REPOSITORY: "o/r", GITHUB_TOKEN: "t", PULL_REQUEST: "7" });
  const onGitLab = (): NodeJS.ProcessEnv => ({
    GITLAB_CI: "true",
    CI_API_V4_URL: base(),
    CI_PROJECT_ID: "5",
    CI_MERGE_REQUEST_IID: "7",
    GITLAB_TOKEN: "t",
  });

  function comment(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<{ readonly code: number | null; readonly said: string }> {
    return new Promise((resolve) => {
      const child = spawn(process.execPath, [join(root, "examples", "ci", "comment.js"), ...args], { env });
      let said = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += String(data)));
      child.on("close", (code) => resolve({ code, said }));
    });
  }
  const review = (): string => join(folder, "review.md");
  const body = "<!-- pulumi-swarm review prod -->\n<!-- pulumi-swarm review -->\n# Two hosts more\n";

  it("is made where the pull request has none of this stack", async () => {
    comments = [{ id: 3, body: "<!-- pulumi-swarm review staging -->\nanother stack's" }];
    assert.deepEqual(await comment(onGitHub(), "prod", review()), { code: 0, said: "the review of prod is written\n" });
    assert.deepEqual(asked, [
      { method: "GET", url: "/repos/o/r/issues/7/comments?per_page=100&page=1", token: "Bearer t" },
      { method: "POST", url: "/repos/o/r/issues/7/comments", body, token: "Bearer t" },
    ]);
  });

  it("is written anew where there is one, however far back", async () => {
    comments = [...Array.from({ length: 130 }, (_, id) => ({ id, body: "words" })), { id: 900, body: "<!-- pulumi-swarm review prod -->\nold" }];
    assert.deepEqual(await comment(onGitHub(), "prod", review()), { code: 0, said: "the review of prod is updated in comment 900\n" });
    assert.deepEqual(
      asked.map(({ method, url }) => `${method} ${url}`),
      ["1", "2"].map((page) => `GET /repos/o/r/issues/7/comments?per_page=100&page=${page}`).concat("PATCH /repos/o/r/issues/comments/900"),
    );
    assert.equal(asked.at(-1)?.body, body);
  });

  it("is a note of a merge request on GitLab", async () => {
    comments = [{ id: 4, body }];
    assert.equal((await comment(onGitLab(), "prod", review())).code, 0);
    assert.deepEqual(asked.at(-1), { method: "PUT", url: "/projects/5/merge_requests/7/notes/4", body, token: "t" });
    comments = [];
    assert.equal((await comment(onGitLab(), "prod", review())).code, 0);
    assert.deepEqual(asked.at(-1), { method: "POST", url: "/projects/5/merge_requests/7/notes", body, token: "t" });
  });

  it("is cut where it is longer than a comment may be", async () => {
    writeFileSync(join(folder, "long.md"), "long ".repeat(20_000));
    assert.equal((await comment(onGitHub(), "prod", join(folder, "long.md"))).code, 0);
    const written = asked.at(-1)?.body ?? "";
    assert.ok(written.length < 65_536, `${written.length} characters`);
    assert.match(written, /too long for a comment; the whole of it is in the job's artifacts\.\n$/);
  });

  it("says what is missing, and who refused", async () => {
    refused = true;
    const forbidden = await comment(onGitHub(), "prod", review());
    assert.equal(forbidden.code, 1);
    assert.match(forbidden.said, /^GET http.* answers 403: .*Fix: the token must be allowed to write comments\n$/);
    const { PULL_REQUEST: _, ...without } = onGitHub();
    assert.match((await comment(without, "prod", review())).said, /^PULL_REQUEST is not set\. Fix: run this in a job of a pull request/);
    assert.match((await comment(onGitHub(), "prod")).said, /^a stack and a file are needed\. Fix: node comment\.js STACK FILE/);
  });
});
