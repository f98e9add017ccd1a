#!/bin/sh
# Keeps the host closed between two runs. Units run it from the folder in which the rules lie.
#   load    the confirmed rules; where they do not load, the smallest ones, by which only SSH comes in
#   watch   loads them again as soon as somebody takes them away, as `nft flush ruleset` and a restart of nftables.service do
set -u

cd "$(dirname "$0")" || exit 1
confirmed=firewall.nft
next=firewall.nft.next
table="inet pulumi_swarm"

# As firewall.sh takes it. $table is two words.
# shellcheck disable=SC2086
print_fingerprint() { nft -s list table $table 2>/dev/null | sha256sum; }

load() {
  if nft -f "$confirmed"; then return 0; fi
  echo "the confirmed rules do not load: loading the smallest ones, by which nobody comes in but over SSH; run pulumi up with another recheck" >&2
  nft -f firewall.nft.smallest || echo "these do not load either: THIS HOST IS OPEN" >&2
  return 1
}

# What was loaded here counts as well as what was confirmed: another version of nft may list the same rules in other words.
is_whole() {
  now=$(print_fingerprint)
  [ "$now" = "${loaded-}" ] || [ "$now" = "$(cat firewall.loaded 2>/dev/null)" ]
}

# What is listed right after a load may lack what somebody took away in between, or all of it. So other words than the confirmed ones
# count only when two loads are listed in the same.
# $table is two words.
# shellcheck disable=SC2086
load_for_sure() {
  listed=""
  for _ in 1 2 3 4 5; do
    load || true
    now=$(print_fingerprint)
    if [ "$now" = "$(cat firewall.loaded 2>/dev/null)" ]; then return 0; fi
    if [ "$now" = "$listed" ] && nft list table $table >/dev/null 2>&1; then
      loaded=$now
      return 0
    fi
    listed=$now
  done
}

heal() {
  if [ ! -e "$confirmed" ] || is_whole; then return 0; fi
  # A run is about to confirm others, and has a switch of its own that puts these back.
  # shellcheck disable=SC2086
  if [ -e "$next" ] && nft list table $table >/dev/null 2>&1; then return 0; fi
  if [ -e "$next" ]; then nft -f "$next" && return 0; fi
  echo "somebody changed or removed the rules of this host: loading them again"
  load_for_sure
}

# A load of rules is told in a line for each of them. Those that came while nobody read go unread, by a second opening of the pipe,
# which alone does not wait: what they tell is seen by one look.
let_burst_pass() {
  sleep 0.2
  dd if=/dev/stdin of=/dev/null iflag=nonblock bs=64k count=16 2>/dev/null || true
}

# Listening comes first: what happens in between would be missed. To all events: for those of removals alone, nft 1.0.6 wants another
# word than 1.1 does. And a rule that somebody adds counts as well.
watch() {
  nft monitor | grep -F --line-buffered "$table" | {
    sleep 1
    heal
    while read -r _; do
      heal
      let_burst_pass
      heal
    done
  }
}

case "$1" in
  load) load ;;
  watch) watch ;;
  *) echo "unknown verb $1" >&2; exit 1 ;;
esac
