import type { Connection } from "../remote/connection";

/**
 * Hosts by their keys, as the output `connections` of a cluster has them.
 *
 * @throws Error that says what is wrong with the text
 */
export function connectionsIn(text: string): Readonly<Record<string, Connection>> {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new Error("it is no JSON");
  }
  if (typeof given !== "object" || given === null || Array.isArray(given)) throw new Error("it is no JSON object of connections by host");
  const entries = Object.entries(given as Record<string, Partial<Connection>>);
  if (entries.length === 0) throw new Error("there is no connection in it");
  for (const [key, connection] of entries) {
    if (typeof connection !== "object" || typeof connection.host !== "string")
      throw new Error(`${JSON.stringify(key)} is no connection: it has no host`);
    if (typeof connection.hostKey !== "string") throw new Error(`the connection ${JSON.stringify(key)} pins no host key`);
  }
  return given as Readonly<Record<string, Connection>>;
}
