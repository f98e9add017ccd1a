#!/bin/sh
# What a host tells of a swarm that has no leader. All of it may be run again at any time, and changes nothing.
#   look  ROOT: the engine's folder; PEERS: address:port of managers, a line each.
#         Result: which of them answer from here, the last entry of the Raft log of this host's manager, how its engine was started as a
#         member, and whether its keys are locked on the disk
set -eu

# ADDRESS:PORT. Whether somebody listens there; that of a manager, only a manager does.
# shellcheck disable=SC2016 # The shell that has /dev/tcp expands them.
answers() { timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"' connect "${1%:*}" "${1##*:}" >/dev/null 2>&1; }

open_peers() {
  silent=$(still_silent "$@")
  for peer in "$@"; do
    printf '%s\n' "$silent" | grep -qxF -e "$peer" || printf '"%s"\n' "$peer"
  done | paste -s -d , -
}

# A manager without a leader asks the others for their votes every few seconds, or answers those that do, and says each time with which
# log (etcd, raft/raft.go, campaign and Step). In an answer its own comes first.
last_entry() {
  journalctl -u docker -o cat --no-pager -n 2000 2>/dev/null | sed -n \
    -e 's/.*\[logterm: \([0-9]*\), index: \([0-9]*\)[],].* sent Msg\(Pre\)\{0,1\}Vote request.*/{"term":\1,"index":\2}/p' \
    -e 's/^[^[]*\[logterm: \([0-9]*\), index: \([0-9]*\), vote: [0-9a-f]*\] [a-z]* Msg\(Pre\)\{0,1\}Vote f.*/{"term":\1,"index":\2}/p' | tail -n 1
}

look() {
  swarm=$ROOT/swarm
  # shellcheck disable=SC2086 # Addresses and ports have no blanks.
  set -- $PEERS
  log=$(last_entry)
  started=$(head -n 1 "$swarm/docker-state.json" 2>/dev/null || true)
  locked=false
  if grep -q '^-----BEGIN ENCRYPTED PRIVATE KEY' "$swarm/certificates/swarm-node.key" 2>/dev/null; then locked=true; fi
  printf '{"open":[%s],"log":%s,"started":%s,"locked":%s}\n' "$(open_peers "$@")" "${log:-null}" "${started:-null}" "$locked"
}

case "$1" in
  look) look ;;
  *) die "unknown verb $1" ;;
esac
