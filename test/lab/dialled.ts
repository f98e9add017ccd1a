import { connect } from "node:net";

/** @returns whether a new connection comes about, or why not */
export function dialled(address: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (how: string): void => {
      socket.destroy();
      resolve(how);
    };
    setTimeout(() => end("dropped"), 1_500);
    socket.on("connect", () => end("open")).on("error", (error: NodeJS.ErrnoException) => end(error.code ?? "error"));
  });
}
