import { type Options, options } from "../options";
import { wireGuardOptions } from "./wireguard/args";

/** A program without types may give some all the same. */
export const directOptions: Options<object> = options<object>({ of: "the direct underlay", thing: "the direct underlay", example: "direct()" }, {});

/** The options of all underlays. */
export const underlayOptions = { direct: directOptions, wireguard: wireGuardOptions } as const;

/** Their names, by kind. */
export const underlayOptionNames = Object.fromEntries(Object.entries(underlayOptions).map(([kind, { names }]) => [kind, names]));
