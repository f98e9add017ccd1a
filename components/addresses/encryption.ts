/** Data that is sent or stored, and could be read there. */
export type ChannelName = "administration" | "swarm control" | "gossip" | "overlay data" | "underlay" | "raft log" | "etcd" | "routes" | "disks";

/** How one channel is protected, or that it is not, for readers of the preview. */
export interface EncryptionChannel {
  /** What is sent or stored there. */
  readonly channel: ChannelName;
  /** `none` if nothing protects it. */
  readonly mechanism: string;
  /** Who has the key. */
  readonly keyHolder: string;
  /** When the key changes. */
  readonly rotation: string;
  /** Whether the data is unreadable to somebody on the path. */
  readonly protects: boolean;
  /** What else you should know. */
  readonly note?: string;
}
