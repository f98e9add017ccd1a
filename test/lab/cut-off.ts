import { type ScriptValues, scriptInput } from "../../components/remote/script";
import type { SshSession } from "../../components/remote/ssh";

/** A session on which one verb's script dies, as by a power cut, before its command of this number. */
export class CutOff implements Pick<SshSession, "script"> {
  happened = false;

  constructor(
    private readonly session: SshSession,
    private readonly verb: string,
    private readonly limit: number,
  ) {}

  async script<Result>(text: string, values: ScriptValues, options: { verb: string; timeout: number }): Promise<Result> {
    if (options.verb !== this.verb) return this.session.script<Result>(text, values, options);
    const trap = `count=0; set -T; trap 'count=$((count + 1)); [ "$count" -lt ${this.limit} ] || kill -9 $$' DEBUG`;
    const { code, stdout } = await this.session.run("bash -s", {
      stdin: `${trap}\n${scriptInput(text, options.verb, values)}`,
      timeout: options.timeout,
    });
    this.happened = code !== 0;
    if (this.happened) throw new Error("cut off");
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Result;
  }
}
