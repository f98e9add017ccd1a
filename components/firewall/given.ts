import { noneOf } from "../nearest";
import { isNot, type Report, show } from "../report";
import { isSeveralProtocols, portFix, protocols } from "./meant";
import { parsePorts, type PortRange } from "./ports";

/** Ports as a user wrote them, each with its path. What cannot be read is reported and left out. */
export function givenPorts(path: string, given: unknown, report: Report): readonly { readonly at: string; readonly range: PortRange }[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (list.length === 0) report(path, "no port is given", "give a port such as 443, or leave the entry out");
  return list.flatMap((port, index) => {
    const at = Array.isArray(given) ? `${path}[${index}]` : path;
    const range = typeof port === "number" || typeof port === "string" ? parsePorts(port) : undefined;
    if (range) return [{ at, range }];
    report(at, isNot(port, "a port or a range"), portFix(port));
    return [];
  });
}

/** Reports what is none. */
export function checkProtocol(path: string, protocol: unknown, report: Report): void {
  if (isSeveralProtocols(protocol)) {
    report(path, `${show(protocol)} are several, and a rule has one`, 'make an entry for "tcp" and one for "udp"');
  } else if (protocol !== "tcp" && protocol !== "udp") {
    report(path, ...noneOf(protocol, protocols));
  }
}
