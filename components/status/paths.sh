#!/bin/sh
# How packets get from this host to others. It only sends pings.
#   ping   PEERS (addresses, one a line), MTU (size of a packet that must pass whole, IP header included; empty where nobody knows). Result: of each address, packets lost of
#          those sent, the average round trip in milliseconds, and whether a packet of that size passed; all addresses at once
set -eu
export LC_ALL=C

count=5
most_at_once=32

# ADDRESS. Two lines: "ADDRESS answers LOST ROUND-TRIP" and "ADDRESS carries true".
try() {
  [ -z "$MTU" ] || {
    if ping -n -q -M 'do' -c 3 -i 0.3 -W 3 -s $((MTU - 28)) "$1" 2>/dev/null | grep -Eq ' [1-9][0-9]* received'; then large=true; else large=false; fi
    echo "$1 carries $large"
  } &
  ping -n -q -c "$count" -i 0.2 -W 3 "$1" 2>/dev/null | awk -v to="$1" -v count="$count" '
    / received/ { for (i = 2; i <= NF; i++) if ($i ~ /^received/) received = $(i - 1) }
    /^(rtt|round-trip)/ { split($4, times, "/"); average = times[2] }
    END { print to, "answers", count - received, (average == "" ? "-" : average) }'
  wait
}

try_all() {
  started=0
  for peer in $PEERS; do
    try "$peer" &
    started=$((started + 1))
    if [ $((started % most_at_once)) -eq 0 ]; then wait; fi
  done
  wait
}

case "$1" in
  ping)
    # busybox has a ping that cannot forbid fragments.
    if ping -V 2>&1 | grep -q iputils; then
      printf '{"ping":true,"lines":[%s]}\n' "$(try_all | sed 's/.*/"&"/' | paste -s -d , -)"
    else
      echo '{"ping":false,"lines":[]}'
    fi
    ;;
  *)
    echo "unknown verb $1" >&2
    exit 1
    ;;
esac
