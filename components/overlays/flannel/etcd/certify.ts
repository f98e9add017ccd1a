import type { ScriptValues } from "../../../remote/script";
import type { EtcdVerb } from "./scripts";
import type { CertificateName, CertificatePlan, Certifier, Holder } from "./pki";

/** openssl may have to be installed first; apt's own limits are inside the script. */
const installTimeout = 20 * 60_000;

/** A host that may be due for certificates. */
export interface CertifiedHost extends Holder {
  readonly isMember: boolean;
  /** PEM of what it has. */
  readonly has: Partial<Record<CertificateName, string>>;
  script<Result>(verb: Extract<EtcdVerb, "request" | "certify">, values: ScriptValues, timeout?: number): Promise<Result>;
  progress(line: string): void;
}

/**
 * Gives a host the certificates that it is due. Its private keys are made there and stay there.
 *
 * @returns whether there were any.
 */
export async function certifyHost(host: CertifiedHost, certifier: Certifier): Promise<boolean> {
  const due = certifier.due(host, host.isMember, host.has);
  if (due.length === 0) return false;
  const plans = due.map(({ plan }) => plan);
  host.progress(`makes certificates for ${plans.map(({ name }) => name).join(", ")} (${due[0]?.reason})`);
  await issue(host, plans, certifier);
  return true;
}

async function issue(host: CertifiedHost, plans: readonly CertificatePlan[], certifier: Certifier): Promise<void> {
  const names = { CERTIFICATES: plans.map(({ name }) => name).join(" ") };
  const { keys } = await host.script<{ keys: Partial<Record<CertificateName, string>> }>("request", names, installTimeout);
  const pem = (name: CertificateName): string => {
    const plan = plans.find((one) => one.name === name);
    const key = keys[name];
    return plan && key !== undefined ? certifier.issue(plan, key) : "";
  };
  await host.script("certify", {
    ...names,
    CLIENTS_CA: certifier.clients,
    PEERS_CA: certifier.peers,
    HOST_PEM: pem("host"),
    ADMIN_PEM: pem("admin"),
    SERVER_PEM: pem("server"),
    PEER_PEM: pem("peer"),
  });
}
