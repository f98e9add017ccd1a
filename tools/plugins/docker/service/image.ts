import { docker } from "../client";

/** What an image is called in a service: resource_docker_service_funcs.go asks Docker's client for it, github.com/docker/docker v28.5.2. */
interface Resolved {
  readonly image: string;
  readonly platforms: readonly { readonly Architecture: string | undefined; readonly OS: string | undefined }[];
}

/** client/service_create.go, imageWithTagString: without Docker Hub's own prefix, and with a tag. */
export function familiar(image: string): string {
  const short = image.replace(/^(?:index\.)?docker\.io\/(?:library\/)?/, "").replace(/^library\/(?=[^/]+$)/, "");
  return /[:@][^/]*$/.test(short) ? short : `${short}:latest`;
}

/**
 * With the digest that a registry has for it now (client/service_create.go, resolveContainerSpecImage; only a creation asks). It is read
 * back, so a program that gives a tag alone sees a change at its next `up`, which takes the digest away: the provider compares the texts
 * (kreuzwerker/terraform-provider-docker#212). Where no registry answers, the image stays as it is.
 */
export async function resolved(image: string): Promise<Resolved> {
  const name = familiar(image);
  try {
    const { Descriptor: descriptor, Platforms: platforms = [] } = (await docker().getImage(name).distribution()) as Distribution;
    const pinned = name.includes("@") ? name : `${name}@${descriptor.digest}`;
    return { image: pinned, platforms: platforms.map(({ architecture, os }) => ({ Architecture: architecture, OS: os })) };
  } catch {
    return { image: name, platforms: [] };
  }
}

interface Distribution {
  readonly Descriptor: { readonly digest: string };
  readonly Platforms?: readonly { readonly architecture?: string; readonly os?: string }[];
}
