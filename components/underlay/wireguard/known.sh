#!/bin/sh
# Asked only of a host whose peers' keys nobody else knows.
#   known  ADDRESSES: of peers in the tunnel. Result: the public keys that this host has of them, and no next ones, which have no address
set -eu
conf=/etc/pulumi-swarm/wireguard/peers.conf
if [ ! -e "$conf" ]; then conf=/dev/null; fi
awk -v wanted="$ADDRESSES" '
  BEGIN {
    count = split(wanted, list, " ")
    for (place = 1; place <= count; place++) asked[list[place] "/32"] = list[place]
    printf "{\"known\":{"
  }
  $1 == "PublicKey" { key = $3 }
  $1 == "AllowedIPs" { sub(/,.*/, "", $3) }
  $1 == "AllowedIPs" && $3 in asked { printf "%s\"%s\":\"%s\"", separator, asked[$3], key; separator = "," }
  END { print "}}" }
' "$conf"
