import type { HostDescription } from "../host";

/**
 * An image is of one processor. That a group has hosts of both may be meant, while its hosts go from one to the other: those that stand
 * keep the image that they were made from.
 *
 * @param image As the user wrote it: a release, which there is for each processor, or one of the user's own.
 */
export function imageWarnings(image: unknown, hosts: readonly HostDescription[], architectureOf: (place: string) => string): readonly string[] {
  if (typeof image !== "object" || image === null) return [];
  const places = new Map<string, string[]>();
  for (const { place } of hosts) places.set(architectureOf(place), [...(places.get(architectureOf(place)) ?? []), place]);
  if (places.size < 2) return [];
  const { id } = image as { readonly id?: unknown };
  const which = typeof id === "string" ? `the image ${id}` : "your own image";
  const each = [...places].map(([architecture, own]) => `${own.length === 1 ? "host" : "hosts"} ${own.join(", ")} with ${architecture}`);
  return [`${which} is for one processor, and it is to be that of ${each.join(" and of ")}: the cloud refuses to make a host that it does not fit`];
}
