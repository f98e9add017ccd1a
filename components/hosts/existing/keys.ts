import * as pulumi from "@pulumi/pulumi";
import { describeProblems } from "../../report";
import { stop } from "../../stop";
import type { Problem } from "../../report";
import { keyProblem } from "../key";
import { isLater } from "../../options";
import type { ExistingHostsArgs } from "./args";

/** The keys that log in, once they are known. */
export interface Login {
  readonly privateKey: string | undefined;
  readonly passphrase: string | undefined;
  /** Of the bastion, where it is not the same. */
  readonly bastionKey: string | undefined;
}

/** What is wrong with the keys that are known when the program runs. What an `Output` holds, `readable` looks at. */
export function checkKeys({ privateKey, passphrase, bastion }: ExistingHostsArgs): Problem[] {
  // A passphrase that is not known yet may open the key.
  const key = isLater(privateKey) || isLater(passphrase) ? undefined : privateKey;
  const bastionKey = isLater(bastion?.privateKey) ? undefined : bastion?.privateKey;
  return keyProblems({ privateKey: key, passphrase: key === undefined ? undefined : passphrase, bastionKey });
}

/**
 * The keys, once they are known and can be read. A secret of the configuration is known in a preview, and any of them before the
 * first host is dialled.
 */
export function readable({ privateKey, passphrase, bastion }: ExistingHostsArgs, group: string, parent: pulumi.Resource): pulumi.Output<Login> {
  return pulumi.all([privateKey, passphrase, bastion?.privateKey]).apply(([key, word, bastionKey]): Login => {
    const login = { privateKey: key, passphrase: word, bastionKey };
    const problems = keyProblems(login).map((problem) => ({ ...problem, path: `hosts.${group}.${problem.path}` }));
    if (problems.length > 0) stop(describeProblems(`group of hosts "${group}"`, problems), parent);
    return login;
  });
}

type Given = Readonly<Record<keyof Login, unknown>>;

/** No word of a key is repeated. */
function keyProblems({ privateKey, passphrase, bastionKey }: Given): Problem[] {
  const own = keyProblem("privateKey", privateKey, passphrase);
  const hop = keyProblem("bastion.privateKey", bastionKey);
  return [...(own ? [own] : []), ...(hop ? [hop] : [])];
}
