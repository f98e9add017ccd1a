import { deriveSshKey } from "../../components/remote/ssh-key";

/** A private key that can be read; nobody lets it in. */
export const clientKey = deriveSshKey("a key of the tests", "client").privateKey;

/** In no other key, and in one line, so that it is found in JSON too. */
export const partOfClientKey = clientKey.split("\n")[4] ?? "";
