import { loadHostScript, loadInstallingScript } from "../../../remote/script";

const verbsOf = {
  "certificates.sh": ["request", "certify"],
  "member.sh": ["look", "form", "join", "start", "wait", "whole", "recover", "leave", "down"],
  "cluster.sh": ["members", "add", "promote", "remove", "readdress", "snapshot"],
  "content.sh": ["read", "write"],
} as const;

/** What can be done on a host with etcd. The scripts say what each is given, and what it answers. */
export type EtcdVerb = (typeof verbsOf)[keyof typeof verbsOf][number];

/** It installs openssl where there is none. */
const installing: EtcdVerb = "request";

const scripts = new Map<EtcdVerb, string>(
  Object.entries(verbsOf).flatMap(([file, verbs]) => {
    const text = loadHostScript(__dirname, "common.sh", file);
    return verbs.map((verb: EtcdVerb) => [verb, verb === installing ? loadInstallingScript(__dirname, "common.sh", file) : text] as const);
  }),
);

/** The script that knows the verb. */
export function etcdScript(verb: EtcdVerb): string {
  return scripts.get(verb) ?? "";
}
