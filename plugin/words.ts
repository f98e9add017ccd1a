/** What the TypeScript package says of a choice, `native({ encrypted: true })`, as it is written in other languages. */
export function inFlatWords(text: string): string {
  return text.replaceAll(
    /(?<!")\b(native|weave|flannel|calico|openvswitch|direct|wireguard)\((?:\{ (.*?) \})?\)/g,
    (_all, kind: string, options?: string) => (options === undefined ? `{ kind: ${kind} }` : `{ kind: ${kind}, ${options} }`),
  );
}
