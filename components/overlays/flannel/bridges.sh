#!/bin/sh
# The host's side of flannel's networks, from the files beside it; a unit runs it before Docker starts, and so does every change.
#   up      bridges, their links, what is routed and what is not let through
#   remove  FILE: those of the networks in that file
# Its beginning is links.sh, uplinks.sh and tenants.sh.
set -eu

# shellcheck disable=SC2034  # of tenants.sh
table="inet pulumi_swarm_flannel"

# By VXLAN, a host comes to containers of other hosts with the first address of its own subnet, which no container has.
hosts_mask() {
  bits=$((32 - ${SUBNET#*/}))
  if [ "$bits" -gt 8 ]; then echo "0.0.$(((1 << (bits - 8)) - 1)).255"; else echo "0.0.0.$(((1 << bits) - 1))"; fi
}

overlay_rules() {
  echo "    iifname \"flannel.1\" $(in_network saddr "$(hosts_mask)" 0.0.0.0) accept"
}

up() {
  links
  keep_apart
}

case "$1" in
  up) settings; up ;;
  remove) settings; remove "$2" ;;
  *) echo "unknown verb $1" >&2; exit 1 ;;
esac
