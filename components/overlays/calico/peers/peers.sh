#!/bin/sh
# Sessions with routers outside the cluster: goes before calico.sh, which has `says`, `bird_answers`, and where its files are, and is given
#   PEER_KEYS (lines: router, its password), WHOM (hosts or routers), WAIT (seconds)
folder=""
run=""

# KIND: as `password_kind` says it. A template for each router that has a password; the sessions are from it.
keys_text() {
  printf '%s\n' "$PEER_KEYS" | while read -r name password; do
    if [ -n "$name" ]; then printf "template bgp 'key:%s' { %s \"%s\"; }\n" "$name" "$1" "$password"; fi
  done
}

# The configuration asks for it where it is needed.
drop_keys() {
  if [ -n "$PEER_KEYS" ] || [ ! -e "$folder/peers.conf" ]; then return 0; fi
  make_mark "$folder/pending"
  rm -f "$run/peers.conf" "$folder/peers.conf"
}

# Who and why, of each session that does not stand with those that are meant.
silent_sessions() {
  says show protocols | sed 's/["\\]//g' | awk -v whom="$WHOM" '$2 == "BGP" && sub(/^peer:/, "", $1) == (whom == "routers") && $6 != "Established" {
    why = ""
    for (i = 6; i <= NF; i++) why = why (i > 6 ? " " : "") $i
    printf "{\"name\":\"%s\",\"why\":\"%s\"}\n", $1, (why == "" ? $4 : why)
  }'
}
all_answer() { bird_answers && [ -z "$(silent_sessions)" ]; }

greet() {
  until_true "$WAIT" all_answer || true
  printf '{"silent":[%s]}\n' "$(silent_sessions | paste -s -d , -)"
}

