import type { Report } from "../report";
import { exitCodes } from "../report";

/** The report for programs. Fields may be added; one that is here keeps its meaning as long as `version` is the same. */
export function json(report: Report): string {
  const { seen, state, verdict, findings, situation, parts } = report;
  const { quorum } = situation;
  const hosts = seen.hosts.map((host) => {
    const { key, planned, system, engine, unreached, paths } = host;
    const node = situation.nodeOf(host);
    return {
      host: key,
      role: node?.role ?? planned?.role,
      site: planned?.site,
      state: situation.standing(host),
      ...(unreached !== undefined && { unreached }),
      availability: node?.availability,
      leader: node?.leader,
      engine: engine && "version" in engine ? engine.version : node?.engine,
      kernel: system?.kernel,
      clockSeconds: system?.clock,
      disks: system?.disks,
      rebootRequired: system && system.reboot !== null,
      certificate: system?.certificate,
      firewall: system?.firewall.state,
      paths,
    };
  });
  return `${JSON.stringify(
    {
      version: 1,
      cluster: seen.cluster,
      at: seen.at,
      seconds: seen.seconds,
      state,
      exitCode: exitCodes[state],
      verdict,
      findings,
      quorum,
      hosts,
      parts: Object.fromEntries(parts.map(({ key, rows }) => [key, Object.fromEntries(rows.map(({ host, says }) => [host, says]))])),
      services: seen.swarm?.services,
    },
    null,
    2,
  )}\n`;
}
