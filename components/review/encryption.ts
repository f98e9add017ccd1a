import type { EncryptionChannel } from "../addresses/encryption";
import { type ClusterChange, type Finding, list, said, type Text, text } from "./findings";
import { plaintext, unprotected } from "./risks";

/** What each way that data takes gains or loses of its protection. */
export function encryptionFindings({ before, after }: ClusterChange): Finding[] {
  if (!after) return [];
  if (!before) return [...acrossSites(plaintext(after)), ...barely(after.encryption)];
  const lost = unprotected(before.encryption, after.encryption);
  const bare = plaintext(after).filter(({ channel }) => plaintext(before).every((known) => known.channel !== channel));
  const was = new Map(before.encryption.map((channel) => [channel.channel, channel]));
  const will = new Set(after.encryption.map(({ channel }) => channel));
  return [
    ...lost.map((channel) => ({
      ...changed(
        channel,
        text`${channel.channel} is protected no longer: it had ${mechanismOf(was.get(channel.channel))}; now ${protectionOf(channel)}`,
      ),
      risk: "plaintext" as const,
    })),
    ...acrossSites(bare.filter((channel) => !lost.includes(channel))),
    ...after.encryption.filter((channel) => !lost.includes(channel)).flatMap((channel) => otherFindings(was.get(channel.channel), channel)),
    ...before.encryption
      .filter(({ channel }) => !will.has(channel))
      .map((channel): Finding => ({ ...changed(channel, text`${channel.channel}: there is no such way any more`), kind: "removed" })),
  ];
}

function changed(channel: EncryptionChannel, what: Text): Finding {
  return { section: "encryption", kind: "changed", subject: channel.channel, text: what };
}

function acrossSites(channels: readonly EncryptionChannel[]): Finding[] {
  return channels.map((channel) => ({
    ...changed(channel, text`${channel.channel} crosses from site to site as it is: nothing encrypts it`),
    risk: "plaintext",
  }));
}

/** Of a new cluster, what nothing protects: on one site that is the usual case. */
function barely(encryption: readonly EncryptionChannel[]): Finding[] {
  const bare = encryption.filter(({ protects }) => !protects);
  if (bare.length === 0) return [];
  const names = bare.map(({ channel }) => channel);
  return [{ section: "encryption", kind: "note", subject: names.join(", "), text: text`not protected: ${list(names)}; all else is` }];
}

function otherFindings(was: EncryptionChannel | undefined, channel: EncryptionChannel): Finding[] {
  if (!was) return [{ ...changed(channel, text`${channel.channel}: ${protectionOf(channel)}`), kind: "added" }];
  if (!was.protects && channel.protects) return [changed(channel, text`${channel.channel} is protected now: ${mechanismOf(channel)}, and was not`)];
  if (was.protects && !channel.protects) return [changed(channel, text`${channel.channel}: ${mechanismOf(channel)} instead of ${mechanismOf(was)}`)];
  const differences = [
    ...(was.mechanism === channel.mechanism ? [] : [text`${mechanismOf(channel)} instead of ${mechanismOf(was)}`]),
    ...(was.keyHolder === channel.keyHolder ? [] : [text`keys are with ${said(channel.keyHolder)}`]),
    ...(was.rotation === channel.rotation ? [] : [text`rotation: ${said(channel.rotation)}`]),
  ];
  if (differences.length === 0) return [];
  return [changed(channel, text`${channel.channel}: ${differences.flatMap((each, index): Text => (index === 0 ? each : ["; ", ...each]))}`)];
}

function mechanismOf(channel: EncryptionChannel | undefined): Text {
  return said(channel?.mechanism ?? "none");
}

function protectionOf({ mechanism: named, note }: EncryptionChannel): Text {
  const mechanism = named === "none" ? "nothing" : named;
  return note === undefined ? said(mechanism) : text`${said(mechanism)} (${said(note)})`;
}
