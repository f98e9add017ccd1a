import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Props } from "../../../../tools/plugins/shared/values";

/** One thing that the cloud has. Secrets are revealed, as they are in a cloud. */
export interface Stored {
  readonly id: string;
  readonly token: string;
  /** Inputs and outputs together. */
  readonly properties: Props;
  /** What plays it here, such as the id of a container. */
  readonly played?: Readonly<Record<string, string>>;
}

/**
 * What the cloud has, in a file, since the plugin ends with each command. It is read anew each time, so that a test can change
 * it as somebody at the cloud's console would. All is done at once, without a pause in which another operation could come in.
 */
export class Store {
  constructor(private readonly file: string) {}

  all(token: string): readonly Stored[] {
    return Object.values(this.read()).filter((stored) => stored.token === token);
  }

  find(id: string): Stored | undefined {
    return this.read()[id];
  }

  get(id: string, what: string): Stored {
    const found = this.find(id);
    if (!found) throw new Error(`${what}.NotFound: the ID '${id}' does not exist`);
    return found;
  }

  put(stored: Stored): void {
    this.write({ ...this.read(), [stored.id]: stored });
  }

  remove(id: string): void {
    const { [id]: _, ...others } = this.read();
    this.write(others);
  }

  private read(): Readonly<Record<string, Stored>> {
    try {
      return JSON.parse(readFileSync(this.file, "utf8")) as Record<string, Stored>;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
      throw error;
    }
  }

  private write(content: Readonly<Record<string, Stored>>): void {
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(`${this.file}.new`, JSON.stringify(content, undefined, 2), { mode: 0o600 });
    renameSync(`${this.file}.new`, this.file);
  }
}
