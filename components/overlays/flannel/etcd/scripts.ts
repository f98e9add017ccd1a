import { loadInstallingScript, loadScript } from "../../../remote/script";

const verbsOf = {
  "certificates.sh": ["request", "certify"],
  "member.sh": ["look", "form", "join", "start", "wait", "whole", "recover", "leave", "down"],
  "cluster.sh": ["members", "add", "promote", "remove", "readdress", "snapshot"],
  "content.sh": ["read", "write"],
} as const;

/** What can be done on a host with etcd. The scripts say what each is given, and what it answers. */
export type EtcdVerb = (typeof verbsOf)[keyof typeof verbsOf][number];

const common = loadInstallingScript(__dirname, "common.sh");

const scripts = new Map<EtcdVerb, string>(
  Object.entries(verbsOf).flatMap(([file, verbs]) => {
    const text = `${common}\n${loadScript(__dirname, file)}`;
    return verbs.map((verb: EtcdVerb) => [verb, text] as const);
  }),
);

/** The script that knows the verb. */
export function etcdScript(verb: EtcdVerb): string {
  return scripts.get(verb) ?? "";
}
