import type { Duplex } from "node:stream";
import type { Client } from "ssh2";

/** Where Docker's own program looks for the engine by itself. */
const path = "/var/run/docker.sock";

/**
 * Streams to a host's engine that sshd itself opens, as whoever signed in. Otherwise a program of Docker's does the same, and takes the host
 * 35 ms of a processor for each: a tenth of what an edit of a rule costs it (seen with 26.1.5).
 */
export class EngineSocket {
  /**
   * sshd may be told not to (`AllowStreamLocalForwarding no`, or `restrict` before a key), be kept from it by SELinux, which logs each try, or
   * be another server. Or there is no engine yet.
   */
  private refused = false;

  /** @param begun Gets none where sshd opens none: who asks in another way then is told why. A session is refused once. */
  open(client: Client, begun: (stream: Duplex | undefined) => void): void {
    if (this.refused) return begun(undefined);
    client.openssh_forwardOutStreamLocal(path, (error: Error | undefined, stream) => {
      this.refused = error !== undefined;
      if (error) return begun(undefined);
      // An engine that ends closes its side alone, and whoever kept the stream for the next question would ask into nothing.
      stream.on("end", () => stream.destroy());
      begun(stream);
    });
  }
}
