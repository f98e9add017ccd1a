import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { caseNames, stateOf, states, version } from "./states";

/** Writes the states that this version leaves behind: `npm run release:state`. What a release has written stays as it is. */
async function main(): Promise<void> {
  mkdirSync(states, { recursive: true });
  for (const name of caseNames) {
    const file = join(states, `${version}-${name}.json`);
    if (existsSync(file) && !process.argv.includes("--again")) {
      process.stdout.write(`${file} is there already. Fix: raise the version in package.json first, or say --again before the release is out\n`);
    } else {
      writeFileSync(file, await stateOf(name));
      process.stdout.write(`${file} written\n`);
    }
  }
}

void main();
