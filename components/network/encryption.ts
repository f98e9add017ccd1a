/** What travels or lies somewhere, and could be read there. */
export type ChannelName = "administration" | "swarm control" | "gossip" | "overlay data" | "underlay" | "raft log" | "etcd" | "disks";

/** How one channel is protected, or that it is not: for the person who reads the preview. */
export interface EncryptionChannel {
  /** What travels or lies there. */
  readonly channel: ChannelName;
  /** `none` where nothing protects it. */
  readonly mechanism: string;
  /** Who has the key. */
  readonly keyHolder: string;
  /** When the key becomes another one. */
  readonly rotation: string;
  /** Whether somebody on the path learns nothing of what is carried. */
  readonly protects: boolean;
  /** What else is to be known. */
  readonly note?: string;
}
