#!/bin/sh
# Goes before scripts that have the verb `check`, with ADDRESSES and WAIT (seconds).

answers() { ping -q -c 1 -W 1 "$1" >/dev/null 2>&1; }

check() {
  silent=""
  if command -v ping >/dev/null 2>&1; then
    until=$(($(date +%s) + WAIT))
    silent=$ADDRESSES
    while :; do
      # One word for each address.
      # shellcheck disable=SC2086
      silent=$(still_silent $silent)
      if [ -z "$silent" ] || [ "$(date +%s)" -ge "$until" ]; then break; fi
      sleep 0.3
    done
  fi
  printf '{"silent":[%s]}\n' "$(echo "$silent" | sed '/^$/d; s/.*/"&"/' | sort | paste -s -d , -)"
}
