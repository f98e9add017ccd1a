// @ts-check
// Writes a review into a pull request (GitHub) or merge request (GitLab): node comment.js STACK FILE
// There is one comment for each stack. It begins with a marker, by which the next run finds it and writes it anew.
"use strict";
const { readFileSync } = require("node:fs");

/** What one comment may have, in characters; the rest is in the artifacts. */
const limits = { github: 65_000, gitlab: 900_000 };

/**
 * Where comments are, by the variables that the CI sets.
 * @param {NodeJS.ProcessEnv} env
 */
function placeOf(env) {
  if (env.GITLAB_CI) {
    const notes = `${need(env, "CI_API_V4_URL")}/projects/${need(env, "CI_PROJECT_ID")}/merge_requests/${need(env, "CI_MERGE_REQUEST_IID")}/notes`;
    return { list: notes, one: notes, update: "PUT", headers: { "private-token": need(env, "GITLAB_TOKEN") }, limit: limits.gitlab };
  }
  const issues = `${env.GITHUB_API_URL ?? "https://api.github.com"}/repos/${need(env, "GITHUB_REPOSITORY")}/issues`;
  const headers = { authorization: `Bearer ${need(env, "GITHUB_TOKEN")}`, accept: "application/vnd.github+json" };
  return { list: `${issues}/${need(env, "PULL_REQUEST")}/comments`, one: `${issues}/comments`, update: "PATCH", headers, limit: limits.github };
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {string} name
 */
function need(env, name) {
  const value = env[name];
  if (!value) throw new Error(`${name} is not set. Fix: run this in a job of a pull request or merge request, and give it the token in env`);
  return value;
}

/**
 * @param {ReturnType<typeof placeOf>} place
 * @param {string} method
 * @param {string} url
 * @param {object} [body]
 */
async function ask({ headers }, method, url, body) {
  const response = await fetch(url, {
    method,
    headers: { ...headers, "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) {
    throw new Error(
      `${method} ${url} answers ${response.status}: ${(await response.text()).slice(0, 200)}. Fix: the token must be allowed to write comments`,
    );
  }
  return response.json();
}

/**
 * The comment that a run before this one has left, if there is one.
 * @param {ReturnType<typeof placeOf>} place
 * @param {string} marker
 * @returns {Promise<number | undefined>}
 */
async function earlier(place, marker) {
  for (let page = 1; ; page += 1) {
    const comments = /** @type {{ id: number, body?: string }[]} */ (await ask(place, "GET", `${place.list}?per_page=100&page=${page}`));
    const found = comments.find(({ body }) => body?.startsWith(marker));
    if (found) return found.id;
    if (comments.length < 100) return undefined;
  }
}

/**
 * @param {string} marker
 * @param {string} review
 * @param {number} limit
 */
function bodyOf(marker, review, limit) {
  const body = `${marker}\n${review}`;
  return body.length <= limit ? body : `${body.slice(0, limit)}\n\n… too long for a comment; the whole of it is in the job's artifacts.\n`;
}

async function main() {
  const [stack, file] = process.argv.slice(2);
  if (!stack || !file) throw new Error("a stack and a file are needed. Fix: node comment.js STACK FILE");
  const place = placeOf(process.env);
  const marker = `<!-- pulumi-swarm review ${stack} -->`;
  const body = bodyOf(marker, readFileSync(file, "utf8"), place.limit);
  const id = await earlier(place, marker);
  if (id === undefined) await ask(place, "POST", place.list, { body });
  else await ask(place, place.update, `${place.one}/${id}`, { body });
  process.stdout.write(`the review of ${stack} is ${id === undefined ? "written" : `updated in comment ${id}`}\n`);
}

main().catch((error) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
