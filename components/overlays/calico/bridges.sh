#!/bin/sh
# The host's side of Calico's networks, from the files beside it; a unit runs it before Docker starts, and so does every change. Its
# beginning is links.sh, uplinks.sh and tenants.sh.
#   up      bridges, their links, what is routed and what is not let through
#   remove  FILE: those of the networks in that file
#   clear   what is let through goes
set -eu

table="inet pulumi_swarm_calico"
chain=PULUMI-SWARM-CALICO

overlay_chains() {
  cat <<END
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr $SUBNET ip daddr != $SPACE masquerade
  }
END
}

# Docker drops what it forwards for nobody. At the end of its chain, so that it goes before with what it keeps apart itself.
let_through() {
  iptables-restore -w 10 --noflush <<END
*filter
:$chain - [0:0]
-A $chain -s $SUBNET -j ACCEPT
-A $chain -d $SUBNET -j ACCEPT
COMMIT
END
  iptables -w 10 -C FORWARD -j "$chain" 2>/dev/null || iptables -w 10 -A FORWARD -j "$chain"
}

up() {
  links
  keep_apart
  let_through
}

clear() {
  nft delete table "$table" 2>/dev/null || true
  iptables -w 10 -D FORWARD -j "$chain" 2>/dev/null || true
  iptables -w 10 -F "$chain" 2>/dev/null || true
  iptables -w 10 -X "$chain" 2>/dev/null || true
  ip route delete unreachable "$SPACE" 2>/dev/null || true
}

case "$1" in
  up) settings; up ;;
  remove) settings; remove "$2" ;;
  clear) settings; clear ;;
  *) echo "unknown verb $1" >&2; exit 1 ;;
esac
