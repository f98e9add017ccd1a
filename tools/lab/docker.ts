import { Cidr, isCidr } from "../../components/addresses/cidr";
import { run } from "./pulumi";

/** Docker on the outer machine. @returns what it printed */
export async function docker(...args: readonly string[]): Promise<string> {
  const result = await run("docker", args);
  if (result.code !== 0) throw new Error(`docker ${args.slice(0, 2).join(" ")}: ${result.stderr}${result.stdout}`);
  return result.stdout.trim();
}

/** A Docker network of the outer machine: its addresses, and that of the outer machine in it. */
export async function addressesOf(network: string): Promise<{ readonly subnet: Cidr; readonly gateway: string }> {
  const format = "{{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{end}}";
  const [text = "", gateway = ""] = (await docker("network", "inspect", "--format", format, network)).split(" ");
  const subnet = Cidr.parse(text);
  if (!isCidr(subnet)) throw new Error(`the Docker network ${network}: ${subnet.problem}`);
  // Where no gateway was asked for, Docker took the first address and does not say so.
  return { subnet, gateway: gateway === "" ? subnet.address(1) : gateway };
}
