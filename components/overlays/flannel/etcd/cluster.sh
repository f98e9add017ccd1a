#!/bin/sh
# What is done to the cluster of etcd, by the member on this host.
#   members   who is a member, and who of them answers
#   add       MEMBER, URL: a member more, which learns first. Result: its id, and how it starts
#   promote   MEMBER (id): it votes from now on
#   remove, readdress   MEMBER (id), URL
#   snapshot  a copy of all data, in a file of this host. The five newest are kept
# shellcheck disable=SC2154  # common.sh goes before, with the names of files
set -eu

members() {
  list=$(ctl --command-timeout=3s member list 2>"$LOG") || die "etcd has no majority: $(said)"
  printf '{"members":"%s","alive":"%s"}\n' "$(echo "$list" | text)" "$({ ctl endpoint status --cluster 2>/dev/null || true; } | text)"
}

try_add() { ctl member add "$MEMBER" --learner --peer-urls="$URL" >"$folder/added" 2>"$LOG"; }

# For some seconds after another one joined, etcd takes none.
add_or_wait() { try_add || { grep -Eq "unhealthy cluster|too many learner" "$LOG" && return 1; die "etcd takes no further member: $(said)"; }; }

add() {
  until_true 15 add_or_wait || die "etcd takes no further member: $(said); every member has to answer"
  printf '{"id":"%s","initial":"%s"}\n' "$(sed -n 's/^Member *\([0-9a-f]*\) added.*/\1/p' "$folder/added")" \
    "$(sed -n 's/^ETCD_INITIAL_CLUSTER="\(.*\)"/\1/p' "$folder/added")"
  rm -f "$folder/added"
}

promoted() { ctl member promote "$MEMBER" >/dev/null 2>"$LOG" || grep -q "can only promote a learner" "$LOG"; }

promote() {
  until_true 60 promoted || die "the new member of etcd is not in step within 60 s: $(said)"
  echo '{"changed":true}'
}

remove() {
  ctl member remove "$MEMBER" >/dev/null 2>"$LOG" || grep -q "member not found" "$LOG" || die "etcd does not let the member $MEMBER go: $(said)"
  echo '{"changed":true}'
}

readdress() {
  ctl_or_die member update "$MEMBER" --peer-urls="$URL" >/dev/null
  echo '{"changed":true}'
}

snapshot() {
  mkdir -p "$state/snapshots"
  file=$state/snapshots/$(date -u +%Y%m%dT%H%M%SZ).db
  ctl_or_die snapshot save "$file" >/dev/null
  # The file is made readable by its owner alone; the five newest are kept.
  find "$state/snapshots" -name '*.db' | sort | head -n -5 | xargs -r rm -f
  printf '{"file":"%s"}\n' "$file"
}

case "$1" in
  members) members ;;
  add) lock; add ;;
  promote) promote ;;
  remove) remove ;;
  readdress) readdress ;;
  snapshot) lock; snapshot ;;
  *) die "unknown verb $1" ;;
esac
