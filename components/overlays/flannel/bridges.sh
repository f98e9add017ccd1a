#!/bin/sh
# The host's side of flannel's networks, from the files beside it; a unit runs it before Docker starts, and so does every change.
#   up      bridges, their links, what is routed and what is not let through
#   remove  FILE: those of the networks in that file
# The file `networks` has a line for each: kind, name, bridge, parent, port, address with prefix, mask and place of its slice.
set -eu

table="inet pulumi_swarm_flannel"

settings() {
  cd "${0%/*}"
  # shellcheck source=/dev/null
  . ./settings
}

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

# A network's containers reach their own network on all hosts, and the outside, but no other network. Others of this host reach
# none of them.
rules() {
  cat <<END
table $table
delete table $table
table $table {
  chain forward {
    type filter hook forward priority filter - 4; policy accept;
    ct state established,related accept
    ip daddr $SPACE ip saddr != $SPACE meta iifkind "bridge" drop
END
  while read -r _ _ bridge _ _ _ mask place; do
    if [ -n "$bridge" ] && [ "$mask" != 0.0.0.0 ]; then echo "    iifname \"$bridge\" ip daddr $SPACE ip daddr & $mask != $place drop"; fi
  done <networks
  printf '  }\n}\n'
}

up() {
  # Whatever has no way to its host goes nowhere: never to the next router, and so never out of the tunnel.
  ip route replace unreachable "$SPACE" metric 4000000
  while read -r kind _ bridge parent port address _ _; do
    if [ "$kind" = swarm ]; then link "$bridge" "$parent" "$port" "$address"; fi
  done <networks
  rules | nft -f -
}

remove() {
  while read -r kind _ bridge parent _ _ _ _; do
    if [ "$kind" != swarm ]; then continue; fi
    ip link delete "$parent" 2>/dev/null || true
    ip link delete "$bridge" 2>/dev/null || true
  done <"$1"
}

case "$1" in
  up) settings; up ;;
  remove) settings; remove "$2" ;;
  *) echo "unknown verb $1" >&2; exit 1 ;;
esac
