import { isRecord, reveal, type Props } from "./values";

// Readers of single properties. Each unwraps secrets, takes null for absent, and names the property when the type is wrong.

function read<T>(props: Props, name: string, expected: string, matches: (value: unknown) => value is T): T | undefined {
  const value = reveal(props[name]);
  if (value === undefined || value === null) return undefined;
  if (matches(value)) return value;
  throw new Error(`${name}: expected ${expected}, got ${Array.isArray(value) ? "a list" : typeof value}`);
}

const isText = (value: unknown): value is string => typeof value === "string";
const isNumber = (value: unknown): value is number => typeof value === "number";
const isFlag = (value: unknown): value is boolean => typeof value === "boolean";
const isTexts = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);
const isRecords = (value: unknown): value is Record<string, unknown>[] => Array.isArray(value) && value.every(isRecord);
const isTextTable = (value: unknown): value is Record<string, string> => isRecord(value) && Object.values(value).every(isText);

export const text = (props: Props, name: string) => read(props, name, "a string", isText);
export const number = (props: Props, name: string) => read(props, name, "a number", isNumber);
export const flag = (props: Props, name: string) => read(props, name, "a boolean", isFlag);
export const texts = (props: Props, name: string) => read(props, name, "a list of strings", isTexts);
export const records = (props: Props, name: string) => read(props, name, "a list of objects", isRecords);
export const record = (props: Props, name: string) => read(props, name, "an object", isRecord);
export const textTable = (props: Props, name: string) => read(props, name, "a map of strings", isTextTable);

export function requiredText(props: Props, name: string): string {
  const value = text(props, name);
  if (value === undefined || value === "") throw new Error(`${name}: required, and not given`);
  return value;
}

/** `[{label, value}]`, the provider's way of writing labels, as a plain map. */
export function labels(props: Props, name = "labels"): Record<string, string> | undefined {
  const entries = records(props, name)?.map((entry): [string, string] => [requiredText(entry, "label"), text(entry, "value") ?? ""]);
  return entries && Object.fromEntries(entries);
}
