#!/bin/sh
# The host's side of flannel's networks, from the files beside it; a unit runs it before Docker starts, and so does every change.
#   up      bridges, their links, what is routed and what is not let through
#   remove  FILE: those of the networks in that file
# The file `networks` has a line for each: kind, name, bridge, parent, port, address with prefix, mask and place of its slice.
set -eu

table="inet pulumi_swarm_flannel"

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
  off_other_bridges
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

case "$1" in
  up) settings; up ;;
  remove) settings; remove "$2" ;;
  *) echo "unknown verb $1" >&2; exit 1 ;;
esac
