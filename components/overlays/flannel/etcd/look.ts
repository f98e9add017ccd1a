import type { Member, SeenHost } from "./survey";
import type { CertificateName } from "./pki";

/** What `member.sh look` says of a host. */
export interface Look {
  readonly data: boolean;
  readonly running: boolean;
  /** Of etcdctl: address, id, version, size, leader, learner, term, index, applied, errors. */
  readonly status: string;
  readonly id: string;
  readonly formed: boolean;
  readonly roster: string;
  readonly current: boolean;
  readonly authority: string;
  readonly certificates: Partial<Record<CertificateName, string>>;
}

/** What is in etcd, as it is. */
export interface EtcdContent {
  readonly keys: { readonly kvs?: readonly { readonly key: string; readonly value: string }[] };
  readonly auth: boolean;
  /** `etcdctl user get --detail` of each. */
  readonly users: Readonly<Record<string, string>>;
}

/** What is to become of it. */
export interface EtcdChange {
  readonly enableAuth: boolean;
  readonly dropUsers: readonly string[];
  readonly addUsers: readonly { readonly name: string; readonly key: string }[];
  readonly dropKeys: readonly string[];
  readonly put: readonly { readonly key: string; readonly value: string }[];
}

export function seenHost(key: string, { data, running, status, id, formed, roster, current }: Look): SeenHost {
  const fields = status.split(", ");
  const memberId = fields[1] ?? id;
  return {
    key,
    data,
    running,
    ...(memberId !== "" && { memberId }),
    formed,
    current,
    index: Number(fields[8] ?? 0),
    roster: roster.split(" ").filter(Boolean),
  };
}

/** `etcdctl member list`: id, status, name, peers, clients, learner. */
export function parseMembers({ members, alive }: { readonly members: string; readonly alive: string }): Member[] {
  const answering = new Set(alive.split("\n").map((line) => line.split(", ")[1]));
  return members.split("\n").map((line) => {
    const [id = "", , name = "", url = "", , learner] = line.split(", ");
    return { id, name, peerUrl: url, learner: learner === "true", alive: answering.has(id) };
  });
}
