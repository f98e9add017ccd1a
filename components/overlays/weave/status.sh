#!/bin/sh
# How Weave's router of this host is. It only reads.
#   status   Result: the state of its unit, its name, by which the others list it, whether its control interface answers, and its own list of connections
set -eu
export LC_ALL=C

unit=pulumi-swarm-weave.service
control=http://127.0.0.1:6784

# A text in a JSON string.
lines() { tr -d '"\134' | tr -d '\000-\011\013-\037' | sed '/^ *$/d; s/  */ /g; s/.*/"&"/' | paste -s -d , -; }

case "$1" in
  status)
    state=$(systemctl is-active "$unit" 2>/dev/null || true)
    name=$(cat /sys/class/net/weave/address 2>/dev/null || true)
    answers=true
    list=$(curl -sf --max-time 5 "$control/status/connections" 2>/dev/null) || answers=false
    printf '{"unit":"%s","name":"%s","answers":%s,"connections":[%s]}\n' "$state" "$name" "$answers" "$(echo "$list" | lines)"
    ;;
  *)
    echo "unknown verb $1" >&2
    exit 1
    ;;
esac
