#!/bin/sh
# Networks as tenants, which are apart but for what a policy lets through: goes before the script of an overlay that routes. Beside it lie the files
#   settings  SPACE, of all containers, and SUBNET, of those on this host
#   networks  as links.sh reads them
#   policy    lines that accept: `between` networks, and from `outside`
# Before it goes uplinks.sh. The overlay's script says which table it is, and may have `overlay_rules`, which prints what it lets through besides,
# and `overlay_chains`, which prints more chains.
set -eu

table=""
overlay_rules() { :; }
overlay_chains() { :; }

# saddr or daddr, MASK PLACE: a network has the same place in each host's subnet.
in_network() {
  printf 'ip %s %s' "$1" "$SPACE"
  if [ "$2" != 0.0.0.0 ]; then printf ' ip %s & %s == %s' "$1" "$2" "$3"; fi
}

# The slice of a network, from its gateway's address: nft takes an address with a prefix for the network in which it is.
rules_of_networks() {
  while read -r _ _ bridge _ _ address mask place; do
    if [ -z "$bridge" ]; then continue; fi
    echo "    iifname \"$bridge\" ip saddr != $address drop"
    echo "    $(in_network saddr "$mask" "$place") $(in_network daddr "$mask" "$place") accept"
  done <networks
}

# What has an address of this host's containers comes out of their bridges, and nothing else does: also within a connection, where an
# answer may leave by another of the container's networks than the one by which it was asked.
forged() {
  all=$(bridges)
  if [ -z "$all" ]; then return 0; fi
  # Its first address is the host's, where it has one.
  echo "    iifname { $all } ip saddr ${SUBNET%/*} drop"
  echo "    iifname { $all } ip saddr != $SUBNET drop"
  echo "    iifname != { $all } ip saddr $SUBNET drop"
}

# Other bridges are those of other containers, which may forge any address, or the host's own way out: the way back to an address tells
# them apart.
forged_elsewhere() {
  all=$(bridges)
  others=""
  if [ -n "$all" ]; then others="iifname != { $all } "; fi
  echo "    meta iifkind \"bridge\" ${others}ip daddr $SPACE fib saddr . iif oif missing drop"
}

# A rule of nftables. Docker keeps its own bridges apart from each other, and knows nothing of these. What a container of theirs publishes on
# this host is reached as from outside.
off_other_bridges() {
  ours=$(bridges)
  if [ -z "$ours" ]; then return 0; fi
  echo "    iifname { $ours } meta oifkind \"bridge\" oifname != { $ours }$(not_uplinks) ct status & dnat == 0 drop"
}

policy() { sed -n "s/^$1 /    /p" policy 2>/dev/null || true; }

tenants() {
  outside=$(policy outside)
  echo "  chain forward {"
  echo "    type filter hook forward priority filter - 4; policy accept;"
  forged
  echo "    ct state established,related accept"
  echo "    ct status dnat accept"
  forged_elsewhere
  rules_of_networks
  policy between
  overlay_rules
  off_other_bridges
  if [ -n "$outside" ]; then echo "    ip saddr != $SPACE ip daddr $SPACE jump outside"; fi
  echo "    ip daddr $SPACE drop"
  echo "  }"
  if [ -n "$outside" ]; then printf '  chain outside {\n%s\n  }\n' "$outside"; fi
}

keep_apart() {
  nft -f - <<END
table $table
delete table $table
table $table {
$(tenants; overlay_chains)
}
END
}
