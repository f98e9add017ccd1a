import { join } from "node:path";
import { docker } from "../../tools/lab/machines";
import { networkOf } from "../../tools/lab/namespace";
import { run } from "../../tools/lab/pulumi";

export interface EtcdAnswer {
  /** Of gRPC: 0 is well, 7 is permission denied. */
  readonly code: number;
  readonly message: string;
  /** In hexadecimal. */
  readonly answer: string;
}

/** Fields of protocol buffers that have a length, which are all that is needed here. */
function field(number: number, content: Buffer | string): Buffer {
  const bytes = Buffer.from(content);
  if (bytes.length > 127) throw new RangeError("longer than one byte tells");
  return Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);
}

/** etcd's api/etcdserverpb/rpc.proto: keys are 1, a value 2; RequestOp.request_range 1, request_put 2, request_txn 4; TxnRequest.success 2. */
const put = (key: string): Buffer => field(2, Buffer.concat([field(1, key), field(2, "x")]));
const range = (key: string): Buffer => field(1, field(1, key));
const transaction = (operation: Buffer): Buffer => field(2, operation);

export const calls = {
  memberList: () => ({ method: "/etcdserverpb.Cluster/MemberList", body: Buffer.alloc(0) }),
  read: (key: string) => ({ method: "/etcdserverpb.KV/Txn", body: transaction(range(key)) }),
  nestedRead: (key: string) => ({ method: "/etcdserverpb.KV/Txn", body: transaction(field(4, transaction(range(key)))) }),
  nestedWrite: (key: string) => ({ method: "/etcdserverpb.KV/Txn", body: transaction(field(4, transaction(put(key)))) }),
  /** Forgets what was before the first revision: nothing. */
  compact: () => ({ method: "/etcdserverpb.KV/Compact", body: Buffer.from([8, 1]) }),
} as const;

/** As etcd's root, on a host with a member. Shell. */
export function etcdctl(command: string): string {
  const certificates = "--cacert=ca.pem --cert=admin.pem --key=admin.pem";
  return `cd /etc/pulumi-swarm/flannel; $(cat etcd/programs)/etcdctl --endpoints=https://127.0.0.1:2379 ${certificates} ${command}`;
}

/** What a host shows to etcd. */
export function certificateOf(machine: string): Promise<string> {
  return docker("exec", machine, "sh", "-c", "cd /etc/pulumi-swarm/flannel; cat host.pem ca.pem");
}

interface Caller {
  /** Out of whose network. */
  readonly machine: string;
  readonly certificate: string;
}

/** Calls etcd at an address. */
export async function callEtcd(
  { machine, certificate }: Caller,
  address: string,
  { method, body }: { readonly method: string; readonly body: Buffer },
): Promise<EtcdAnswer> {
  const script = join(__dirname, "grpc-call.js");
  const command = [`--net=${await networkOf(machine)}`, process.execPath, script, address, method, body.toString("hex")];
  const result = await run("nsenter", command, { stdin: certificate });
  if (result.code !== 0) throw new Error(`${method}: ${result.stderr}`);
  return JSON.parse(result.stdout) as EtcdAnswer;
}
