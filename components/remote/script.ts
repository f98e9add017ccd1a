import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The values a script is given, each a shell variable. */
export type ScriptValues = Readonly<Record<string, string>>;

/** One word of POSIX shell, whatever is in it. Not possible: the NUL character, which no shell can hold. */
export function quote(value: string): string {
  if (value.includes("\0")) throw new Error("a value for a shell script cannot contain a NUL character");
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/** What goes into `sh -s`: the values as assignments, the verb as `$1`, then the script. */
export function scriptInput(text: string, verb: string, values: ScriptValues): string {
  const assignments = Object.entries(values).map(([name, value]) => {
    if (!/^[A-Z][A-Z0-9_]*$/.test(name)) throw new Error(`"${name}" is not a name for a script's value`);
    return `${name}=${quote(value)}`;
  });
  return [...assignments, `set -- ${quote(verb)}`, text].join("\n");
}

/** Reads a script that lies beside the module that uses it. */
export function loadScript(folder: string, name: string): string {
  return readFileSync(join(folder, name), "utf8");
}

/** Reads a script that goes before or after another one, or is it itself: without the words at its head, which are for whoever reads it here. */
export function loadPart(folder: string, name: string): string {
  return loadScript(folder, name).replace(/^(?:#.*\n)+/, "");
}

const prelude = loadScript(__dirname, "prelude.sh");
const installing = loadScript(__dirname, "installing.sh");

/** Reads a script that is run on a host, and puts before it what all of them have in common. Of several files, the last one has the verbs. */
export function loadHostScript(folder: string, ...names: readonly string[]): string {
  return withParts([prelude], folder, names);
}

/** The same for a script that installs packages. All others are spared how that is done. */
export function loadInstallingScript(folder: string, ...names: readonly string[]): string {
  return withParts([prelude, installing], folder, names);
}

function withParts(parts: readonly string[], folder: string, names: readonly string[]): string {
  return [...parts, ...names.map((name) => loadScript(folder, name))].join("\n");
}
