/** What the review and its tests need of a preview, one step a line: no stack traces, no paths of a machine, no times. */
export function withoutMachine(preview: string): string {
  return preview.startsWith('{"sequence"') ? stream(preview) : digest(JSON.parse(preview) as Digest);
}

type Fields = Readonly<Record<string, unknown>>;

interface Digest {
  readonly steps?: readonly Fields[];
  readonly diagnostics?: readonly Fields[];
  readonly changeSummary?: Fields;
}

function digest({ steps, diagnostics, changeSummary }: Digest): string {
  const lines = (all: readonly unknown[]): string => `[\n${all.map((each) => JSON.stringify(each)).join(",\n")}\n]`;
  const parts = [
    ...(steps ? [`"steps":${lines(steps.map(step))}`] : []),
    ...(diagnostics ? [`"diagnostics":${lines(diagnostics.map(diagnostic))}`] : []),
    ...(changeSummary ? [`"changeSummary":${JSON.stringify(changeSummary)}`] : []),
  ];
  return `{\n${parts.join(",\n")}\n}\n`;
}

function step({ op, urn, oldState, newState, diffReasons, replaceReasons, detailedDiff }: Fields): Fields {
  return { op, urn, oldState: state(oldState), newState: state(newState), diffReasons, replaceReasons, detailedDiff: detailedDiff ?? undefined };
}

function stream(preview: string): string {
  const events = preview.split("\n").filter((line) => line.startsWith("{"));
  const kept = events.map((line) => event(JSON.parse(line) as Fields)).filter((each) => each !== undefined);
  return kept.map((each, sequence) => `${JSON.stringify({ sequence, timestamp: 0, ...each })}\n`).join("");
}

function event({ preludeEvent, resourcePreEvent, diagnosticEvent, summaryEvent, cancelEvent }: Fields): Fields | undefined {
  if (preludeEvent) return { preludeEvent: { config: {} } };
  if (summaryEvent) return { summaryEvent: { ...summaryEvent, durationSeconds: 0 } };
  if (cancelEvent) return { cancelEvent };
  if (diagnosticEvent) {
    const said = diagnosticEvent as Fields;
    return said["severity"] === "debug" ? undefined : { diagnosticEvent: diagnostic(said) };
  }
  if (!resourcePreEvent) return undefined;
  const { metadata } = resourcePreEvent as { readonly metadata: Fields };
  const { op, urn, type, old, new: made, keys, diffs, detailedDiff } = metadata;
  const short = { op, urn, type, old: state(old), new: state(made), keys, diffs, detailedDiff: detailedDiff ?? undefined };
  return { resourcePreEvent: { metadata: short, planning: true } };
}

/** Of outputs only what a stash remembers: the rest is not looked at, and is long. */
function state(given: unknown): Fields | null {
  if (typeof given !== "object" || given === null) return null;
  const { urn, type, parent, inputs, outputs, delete: deleted } = given as Fields;
  const remembered = String(type) === "pulumi:index:Stash" ? { outputs } : {};
  return { urn, type, parent, inputs, ...remembered, ...(deleted === true && { delete: true }) };
}

function diagnostic(given: Fields): Fields {
  const { urn, prefix, message, severity } = given;
  return { urn, prefix, message: String(message).replaceAll(/(?:\/[\w.@-]+){3,}/g, "/…"), severity };
}
