/** A change to a child resource's arguments: fields that override ours, or a function that returns new arguments. */
export type Transform<Args> = Partial<Args> | ((args: Args) => Args);

export function transformed<Args extends object>(transform: Transform<Args> | undefined, args: Args): Args {
  return typeof transform === "function" ? transform(args) : { ...args, ...transform };
}
