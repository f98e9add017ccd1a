import { type EtcdPlan, EtcdRefusal, type EtcdStep, type EtcdSurvey, type WantedMember } from "./survey";

/** What comes first where no majority answers: the first members, those that do not run, or the last one with data. */
export function planWithoutMajority(wanted: readonly WantedMember[], { hosts, away }: EtcdSurvey): EtcdPlan {
  const only = (step: EtcdStep | undefined): EtcdPlan => ({ steps: step ? [step] : [], more: true, waiting: [] });
  const survivors = hosts.filter(({ data, formed }) => data && formed);
  if (survivors.length === 0) {
    const reached = wanted.filter(({ key }) => hosts.some((host) => host.key === key)).map(({ key }) => key);
    const stoodOnce = hosts.some(({ formed, roster }) => formed || roster.length > 0);
    const missing = wanted.map(({ key }) => key).filter((key) => away.includes(key));
    if (reached.length === 0) throw new EtcdRefusal(`none of its hosts can be worked on (${missing.join(", ")})`);
    if (stoodOnce && missing.length > 0) throw noMajority(missing, missing);
    // What is in it follows from the plan, so that one whose machines are all gone can be made anew.
    return only({ kind: "form", keys: reached });
  }
  const stopped = survivors.filter(({ running }) => !running);
  if (stopped.length > 0) return only({ kind: "wake", keys: stopped.map(({ key }) => key) });
  const roster = new Set(survivors.flatMap(({ roster: keys }) => keys));
  if (roster.size === 0) for (const { key } of [...wanted, ...survivors]) roster.add(key);
  const absent = [...roster].filter((key) => away.includes(key));
  if (absent.length > 0) throw noMajority(absent, [...roster]);
  const best = survivors.reduce((one, other) => (other.index > one.index ? other : one));
  const lost = [...roster].filter((key) => !survivors.some((host) => host.key === key));
  // All with data answer, and are no majority: those that would make it one are gone for good.
  if (lost.length === 0)
    throw new EtcdRefusal(`its members run on ${[...roster].join(", ")}, but do not find each other: look whether 2380/tcp is open between them`);
  return {
    steps: [
      { kind: "snapshot", key: best.key },
      { kind: "recover", key: best.key, lost },
    ],
    more: true,
    waiting: [],
  };
}

function noMajority(absent: readonly string[], all: readonly string[]): EtcdRefusal {
  return new EtcdRefusal(
    `no majority of its members answers, and ${absent.join(", ")} cannot be reached (members: ${all.join(", ")}). Nothing is changed and nothing is lost: ` +
      `traffic between containers goes on, but hosts cannot be added or removed. Start ${absent.join(" or ")} and run again; ` +
      `if that machine is gone permanently, remove the host from the program or replace its machine`,
  );
}
