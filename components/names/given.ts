import type { Problem } from "../report";
import { isNot } from "../report";

/** What is wrong with the name that a component was given. A program without types may give anything. @param of The class. */
export function givenNameProblems(name: unknown, of: string): Problem[] {
  if (typeof name === "string" && name !== "") return [];
  return [
    {
      path: "name",
      message: typeof name === "object" && name !== null ? "the arguments stand in the name's place" : isNot(name, "a name"),
      fix: `write it before the arguments, such as new ${of}("prod", { … })`,
    },
  ];
}
