#!/bin/sh
# Bridges and links of an overlay's networks: goes before the script that a unit runs. That one lies in a folder with the files
#   settings  MTU and more
#   networks  a line for each network: kind, name, bridge, parent, port, address with prefix, mask and place of its slice
set -eu

settings() {
  cd "${0%/*}"
  # shellcheck source=/dev/null
  . ./settings
}

bridges() { awk 'NF { printf "%s\"%s\"", (n++ ? ", " : ""), $3 }' networks; }

# The swarm's networks hang on one end of a link whose other end is in the bridge: Docker knows nothing of the bridge, and the
# containers are behind it all the same.
link() {
  [ -e "/sys/class/net/$1" ] || ip link add "$1" type bridge
  ip link set "$1" mtu "$MTU" up
  for old in $(ip -o -4 address show dev "$1" | awk '{ print $4 }'); do
    if [ "$old" != "$4" ]; then ip address delete "$old" dev "$1"; fi
  done
  ip address replace "$4" dev "$1"
  [ -e "/sys/class/net/$2" ] || ip link add "$2" mtu "$MTU" type veth peer name "$3" mtu "$MTU"
  ip link set "$2" mtu "$MTU" up
  ip link set "$3" mtu "$MTU" master "$1" up
}

links() {
  # Whatever has no way to its host goes nowhere: never to the next router, and so never out of the tunnel.
  ip route replace unreachable "$SPACE" metric 4000000
  while read -r kind _ bridge parent port address _ _; do
    if [ "$kind" = swarm ]; then link "$bridge" "$parent" "$port" "$address"; fi
  done <networks
}

remove() {
  while read -r kind _ bridge parent _ _ _ _; do
    if [ "$kind" != swarm ]; then continue; fi
    ip link delete "$parent" 2>/dev/null || true
    ip link delete "$bridge" 2>/dev/null || true
  done <"$1"
}
