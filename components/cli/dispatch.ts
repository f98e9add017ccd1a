import { backup } from "./backup";
import { graph } from "./graph";
import { image } from "./image";
import { restore } from "./restore";
import { review } from "./review";
import { status } from "./status";
import { trace } from "./trace";
import { type Terminal, unusable, UsageError, type Verb } from "./verb";

const verbs: Readonly<Record<string, Verb>> = {
  review,
  graph,
  status,
  image,
  trace,
  backup,
  restore,
};

/** Calls the verb that was asked for. */
export async function dispatch(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  if (name === "--help" || name === "-h" || name === "help") {
    terminal.out(usage());
    return 0;
  }
  if (name === undefined) return wrong("pulumi-swarm", "no verb is given", usage(), terminal);
  if (!Object.hasOwn(verbs, name)) return wrong("pulumi-swarm", `there is no verb ${JSON.stringify(name)}`, usage(), terminal);
  const verb = verbs[name] as Verb;
  const own = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
  if (own.includes("--help") || own.includes("-h")) {
    terminal.out(verb.usage);
    return 0;
  }
  try {
    return await verb.run(rest, terminal);
  } catch (error) {
    if (error instanceof UsageError) return wrong(`pulumi-swarm ${name}`, error.message, verb.usage, terminal, verb.unusable);
    throw error;
  }
}

function wrong(who: string, what: string, how: string, terminal: Terminal, code = unusable): number {
  terminal.error(`${who}: ${what}.\n\n${how}`);
  return code;
}

function usage(): string {
  const width = Math.max(...Object.keys(verbs).map(({ length }) => length));
  const lines = Object.entries(verbs).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}\n`);
  return `Usage: pulumi-swarm VERB …\n\n${lines.join("")}\npulumi-swarm VERB --help says more of one.\n`;
}
