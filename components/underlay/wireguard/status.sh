#!/bin/sh
# How this host's end of the tunnel is. It only reads, and never the private key.
#   status   INTERFACE. Result: the state of its unit, whether the interface is there, and of each peer its address in the tunnel, where it was
#            last heard, seconds since the last handshake (null: there was none) and bytes received
set -eu
export LC_ALL=C

unit=pulumi-swarm-wireguard.service

peers() {
  {
    # A peer may carry its containers' subnet beside its own address.
    wg show "$INTERFACE" allowed-ips | awk '{ for (i = 2; i <= NF; i++) if ($i ~ /\/32$/) print $1, "address", $i }'
    wg show "$INTERFACE" endpoints | awk '{ print $1, "endpoint", $2 }'
    wg show "$INTERFACE" latest-handshakes | awk '{ print $1, "at", $2 }'
    wg show "$INTERFACE" transfer | awk '{ print $1, "received", $2 }'
  } 2>/dev/null | awk -v now="$(date +%s)" '
    { value[$1, $2] = $3; keys[$1] }
    END {
      for (key in keys) {
        # A key that is not in use yet has no address.
        address = value[key, "address"]
        if (address == "(none)" || address == "") continue
        sub("/.*", "", address)
        at = value[key, "at"] + 0
        printf "{\"address\":\"%s\",\"endpoint\":\"%s\",\"handshake\":%s,\"received\":%s}\n", address, value[key, "endpoint"], (at ? now - at : "null"), value[key, "received"] + 0
      }
    }' | sort | paste -s -d , -
}

case "$1" in
  status)
    state=$(systemctl is-active "$unit" 2>/dev/null || true)
    if wg show "$INTERFACE" public-key >/dev/null 2>&1; then there=true; else there=false; fi
    printf '{"unit":"%s","there":%s,"peers":[%s]}\n' "$state" "$there" "$(if "$there"; then peers; fi)"
    ;;
  *)
    echo "unknown verb $1" >&2
    exit 1
    ;;
esac
