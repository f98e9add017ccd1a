import * as pulumi from "@pulumi/pulumi";
import { describeProblems } from "../../report";
import { stop } from "../../stop";
import type { Problem } from "../../report";
import { keyProblem } from "../key";
import { publicKeyOf } from "../../remote/private-key";
import { isLater } from "../../options";
import type { ExistingHostsArgs } from "./args";

/** The keys that log in, once they are known. */
export interface Login {
  readonly privateKey: string | undefined;
  readonly passphrase: string | undefined;
  /** The key that is to be taken off. */
  readonly previousKey: string | undefined;
  /** Of the bastion, where it is not the same. */
  readonly bastionKey: string | undefined;
}

/** What is wrong with the keys that are known when the program runs. What an `Output` holds, `readable` looks at. */
export function checkKeys({ privateKey, passphrase, previousKey, bastion }: ExistingHostsArgs): Problem[] {
  // A passphrase that is not known yet may open the key.
  const key = isLater(privateKey) || isLater(passphrase) ? undefined : privateKey;
  const bastionKey = isLater(bastion?.privateKey) ? undefined : bastion?.privateKey;
  const former = isLater(previousKey) ? undefined : previousKey;
  return [
    ...keyProblems({ privateKey: key, passphrase: key === undefined ? undefined : passphrase, previousKey: former, bastionKey }),
    ...(previousKey === undefined ? [] : previousProblems(privateKey, bastion)),
  ];
}

/** What a previous key needs beside it. */
function previousProblems(privateKey: unknown, bastion: ExistingHostsArgs["bastion"]): Problem[] {
  const path = "previousKey";
  return [
    ...(privateKey === undefined ? [{ path, message: "there is no key to take its place", fix: "give the new one as privateKey" }] : []),
    ...(bastion && bastion.privateKey === undefined
      ? [
          {
            path,
            message: "the bastion is logged in to by the group's key, which up does not change there",
            fix: "give the bastion's own as bastion.privateKey",
          },
        ]
      : []),
  ];
}

/**
 * The keys, once they are known and can be read. A secret of the configuration is known in a preview, and any of them before the
 * first host is dialled.
 */
export function readable(
  { privateKey, passphrase, previousKey, bastion }: ExistingHostsArgs,
  group: string,
  parent: pulumi.Resource,
): pulumi.Output<Login> {
  return pulumi.all([privateKey, passphrase, previousKey, bastion?.privateKey]).apply(([key, word, former, bastionKey]): Login => {
    const login = { privateKey: key, passphrase: word, previousKey: former, bastionKey };
    const problems = keyProblems(login).map((problem) => ({ ...problem, path: `hosts.${group}.${problem.path}` }));
    if (problems.length > 0) stop(describeProblems(`group of hosts "${group}"`, problems), parent);
    return login;
  });
}

type Given = Readonly<Record<keyof Login, unknown>>;

/** No word of a key is repeated. */
function keyProblems({ privateKey, passphrase, previousKey, bastionKey }: Given): Problem[] {
  const own = keyProblem("privateKey", privateKey, passphrase);
  const former = keyProblem("previousKey", previousKey) ?? sameProblem(privateKey, passphrase, previousKey);
  const hop = keyProblem("bastion.privateKey", bastionKey);
  return [...(own ? [own] : []), ...(former ? [former] : []), ...(hop ? [hop] : [])];
}

function sameProblem(privateKey: unknown, passphrase: unknown, previousKey: unknown): Problem | undefined {
  if (typeof privateKey !== "string" || typeof previousKey !== "string") return undefined;
  const [now, was] = [publicKeyOf(privateKey, typeof passphrase === "string" ? passphrase : undefined), publicKeyOf(previousKey)];
  if (now === undefined || now !== was) return undefined;
  return { path: "previousKey", message: "this is the same key as privateKey", fix: "leave it out, or give the one that logged in before" };
}
