import { StringDecoder } from "node:string_decoder";

/** A reader of chunks of UTF-8: a character may begin in one of them and end in the next. */
export function utf8(onText: (text: string) => void): (chunk: Buffer) => void {
  const decoder = new StringDecoder("utf8");
  return (chunk) => onText(decoder.write(chunk));
}

/** The same by lines, without those that are blank. The last one is handed on when its end has come. */
export function utf8Lines(onLine: (line: string) => void): (chunk: Buffer) => void {
  let rest = "";
  return utf8((text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    lines.filter((line) => line.trim() !== "").forEach(onLine);
  });
}
