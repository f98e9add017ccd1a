import { Sites } from "../../tools/lab/sites";
import { Lab } from "./lab";

/** Three managers and a worker, of which one of each is on another site. */
export const sites = new Sites("status", {
  rack: { subnet: "10.226.1.0/24", hosts: { s1: {}, s2: {} } },
  far: { subnet: "10.226.2.0/24", router: "routes", hosts: { s3: {} } },
});
export const lab = new Lab("status");

function machinesOf(...names: readonly string[]): Record<string, object> {
  return Object.fromEntries(
    names.map((name) => [name, { address: sites.host(name).address, publicAddress: sites.host(name).address, hostKey: sites.keys.host.publicKey }]),
  );
}

export function spec(more: object = {}): object {
  return {
    existing: {
      control: { role: "manager", site: "rack", network: sites.subnet("rack"), machines: machinesOf("s1", "s2") },
      far: { role: "manager", site: "far", network: sites.subnet("far"), machines: machinesOf("s3") },
    },
    networks: { web: {} },
    wireguard: {},
    firewall: { ssh: sites.admins, expose: { website: { port: 8080, from: ["world"], publish: "host" } } },
    ...more,
  };
}
