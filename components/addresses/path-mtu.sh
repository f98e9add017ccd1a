#!/bin/sh
# Whether packets of exactly the planned size pass from this host to others, by pings that must not be fragmented.
#   check   MTU: the size, IP header included. PEERS: addresses, one a line, all tried at once.
# The result names, of each address, the largest packet that passed: MTU when all is well, 0 when not even a small one did.
set -eu

# One lost packet is no verdict.
passes() {
  ping -n -q -M 'do' -c 1 -W 1 -s $(($2 - 28)) "$1" >/dev/null 2>&1 ||
    ping -n -q -M 'do' -c 3 -i 0.2 -W 1 -s $(($2 - 28)) "$1" >/dev/null 2>&1
}

largest() {
  if passes "$1" "$MTU"; then
    echo "$MTU"
    return
  fi
  # Every IPv4 link carries 68 bytes (RFC 791).
  if ! passes "$1" 68; then
    echo 0
    return
  fi
  low=68 high=$MTU
  while [ $((high - low)) -gt 1 ]; do
    middle=$(((low + high) / 2))
    if passes "$1" "$middle"; then low=$middle; else high=$middle; fi
  done
  echo "$low"
}

check() {
  # busybox has a ping that cannot forbid fragments.
  if ! ping -V 2>&1 | grep -q iputils; then
    echo '{"ping":false,"passed":{}}'
    return
  fi
  number=0
  for peer in $PEERS; do
    number=$((number + 1))
    largest "$peer" >"$results/$number" &
  done
  wait
  number=0 passed=""
  for peer in $PEERS; do
    number=$((number + 1))
    passed="$passed${passed:+,}\"$peer\":$(cat "$results/$number")"
  done
  printf '{"ping":true,"passed":{%s}}\n' "$passed"
}

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
case "$1" in
  check) check ;;
  *)
    echo "unknown verb $1" >&2
    exit 1
    ;;
esac
