import { run } from "../../tools/lab/pulumi";

export async function hasProgram(name: string): Promise<boolean> {
  return (await run("sh", ["-c", 'command -v "$1"', "sh", name])).code === 0;
}
