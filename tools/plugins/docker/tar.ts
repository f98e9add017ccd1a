export interface TarFile {
  /** Absolute or relative to the root of the archive. */
  readonly path: string;
  readonly mode: number;
  readonly content: Buffer;
  readonly uid: number;
  readonly gid: number;
}

const BLOCK = 512;

/** An uncompressed ustar archive of regular files. */
export function tarOf(files: readonly TarFile[]): Buffer {
  return Buffer.concat([...files.flatMap((file) => [headerOf(file), file.content, padding(file.content.length)]), Buffer.alloc(2 * BLOCK)]);
}

function padding(length: number): Buffer {
  return Buffer.alloc((BLOCK - (length % BLOCK)) % BLOCK);
}

function headerOf(file: TarFile): Buffer {
  const { name, prefix } = splitPath(file.path.replace(/^\/+/, ""));
  const header = Buffer.alloc(BLOCK);
  header.write(name, 0, 100);
  header.write(octal(file.mode, 7), 100);
  header.write(octal(file.uid, 7), 108);
  header.write(octal(file.gid, 7), 116);
  header.write(octal(file.content.length, 11), 124);
  header.write(octal(Math.floor(Date.now() / 1000), 11), 136);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\u000000", 257);
  header.write(prefix, 345, 155);
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${octal(checksum, 6)}\0 `, 148);
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

/** ustar holds a path as 155 bytes, a slash, and 100 bytes. */
function splitPath(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: "" };
  for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
    const [prefix, name] = [path.slice(0, slash), path.slice(slash + 1)];
    if (Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return { name, prefix };
  }
  throw new Error(`uploads: the path ${path} is too long for a tar archive`);
}
