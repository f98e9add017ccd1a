#!/bin/sh
# The host's side of Open vSwitch's networks, from the files beside it; a unit runs it before Docker starts, and so does every change.
#   up       the bridge, its links and tunnels, what passes between them and what is routed. What the files do not name goes
#   flows    what passes: ovs-vswitchd forgets it when it ends, and lets nothing pass until it is told again
#   rules    what is routed, as nftables have it
#   down     all of it goes
# The file `networks` has a line for each: name, parent, port, gate, gate's port, VLAN, the host's own address in it with prefix, or - where
# the network is internal, the range of its containers on this host, subnet. The file `tunnels` has link, VXLAN's number, remote address,
# number of its port. An empty line says that there is none.
set -eu

table=pulumi_swarm_openvswitch
bridge=ovs-swarm
note=pulumi-swarm-openvswitch

# shellcheck source=/dev/null
settings() { cd "${0%/*}" && . ./settings; }

# A database whose program hangs must not hold a boot for ever.
vsctl() { ovs-vsctl --timeout=60 "$@"; }
is_link() { [ -e "/sys/class/net/$1" ]; }

# The kernel's own, or the program that does the same; as at each boot anew, for another kernel may have what this one lacks.
choose_datapath() {
  if [ -d /sys/module/openvswitch ] || modprobe openvswitch 2>/dev/null; then echo system; else echo netdev; fi
}

is_program() { [ "$(cat datapath)" = netdev ]; }

pair() {
  is_link "$1" || ip link add "$1" mtu "$MTU" type veth peer name "$2" mtu "$MTU"
  for end in "$1" "$2"; do
    ip link set "$end" addrgenmode none
    ip link set "$end" mtu "$MTU" up
  done
}

# Containers hang on `parent`, and the host's own address on `gate`; the other end of each is in the bridge.
links() {
  while read -r name parent port gate gateport _ address _; do
    if [ -z "$name" ]; then continue; fi
    pair "$parent" "$port"
    # The host is at the gate: it would answer here too, for the same addresses, and past the gate's rules.
    echo 8 >"/proc/sys/net/ipv4/conf/$parent/arp_ignore"
    if [ "$address" = - ]; then
      ip link delete "$gate" 2>/dev/null || true
      continue
    fi
    pair "$gate" "$gateport"
    for old in $(ip -o -4 address show dev "$gate" | awk '{ print $4 }'); do
      if [ "$old" != "$address" ]; then ip address delete "$old" dev "$gate"; fi
    done
    ip address replace "$address" dev "$gate"
    # Nobody asks one network for what the host has in another.
    echo 1 >"/proc/sys/net/ipv4/conf/$gate/arp_ignore"
    echo 2 >"/proc/sys/net/ipv4/conf/$gate/arp_announce"
  done <networks
}

# The kernel's, in both datapaths: it keeps sending while ovs-vswitchd restarts, and a mesh has both kinds of hosts. Two of them with one
# number and one port are refused, so each pair of hosts has a number of its own. Four bytes more than a container's packet: the VLAN's tag.
tunnels() {
  while read -r link number remote _; do
    if [ -z "$link" ]; then continue; fi
    case "$(ip -d -o link show dev "$link" 2>/dev/null)" in
      *"vxlan id $number remote $remote local $HERE "*) ;;
      *)
        # A program would go on listening to the one that is gone.
        if is_link "$link"; then
          vsctl --if-exists del-port "$bridge" "$link"
          ip link delete "$link"
        fi
        ip link add "$link" type vxlan id "$number" local "$HERE" remote "$remote" dstport "$UDP_PORT" nolearning ;;
    esac
    ip link set "$link" addrgenmode none
    ip link set "$link" mtu "$((MTU + 4))" up
  done <tunnels
}

wanted_ports() {
  awk 'NF { print $1 }' tunnels
  awk 'NF { print $3; if ($7 != "-") print $5 }' networks
}

# A frame that came by one tunnel leaves by no other: all hosts have tunnels to each other, and it would go round for ever.
ports() {
  set -- --may-exist add-br "$bridge" -- set bridge "$bridge" datapath_type="$(cat datapath)" fail_mode=secure other_config:mac-table-size=65536
  while read -r link _ _ number; do
    if [ -z "$link" ]; then continue; fi
    set -- "$@" -- --may-exist add-port "$bridge" "$link" -- set port "$link" protected=true -- set interface "$link" ofport_request="$number"
  done <tunnels
  while read -r name _ port _ gateport vlan address _; do
    if [ -z "$name" ]; then continue; fi
    set -- "$@" -- --may-exist add-port "$bridge" "$port" -- set port "$port" tag="$vlan" -- set interface "$port" ofport_request="$((10000 + vlan))"
    if [ "$address" = - ]; then continue; fi
    set -- "$@" -- --may-exist add-port "$bridge" "$gateport" -- set port "$gateport" tag="$vlan" -- set interface "$gateport" ofport_request="$((20000 + vlan))"
  done <networks
  vsctl "$@"
  { wanted_ports; trunk_ports; } >ports.wanted
  vsctl list-ports "$bridge" | grep -vxF -f ports.wanted | while read -r port; do vsctl --if-exists del-port "$bridge" "$port"; done
  drop_links
  rm ports.wanted
}

# Links of networks and hosts that are no more; of a pair, one end takes the other with it.
drop_links() {
  for link in /sys/class/net/ovx-* /sys/class/net/ovb-* /sys/class/net/ovh-*; do
    link=${link##*/}
    if is_link "$link" && ! grep -qxF "$link" ports.wanted; then ip link delete "$link" 2>/dev/null || true; fi
  done
}

# The user's datapath takes packets as a network card would: without this, those whose checksum or size the card was to see to are lost.
offload() {
  if [ "$(vsctl --if-exists get Open_vSwitch . other_config:userspace-tso-enable)" = '"true"' ]; then return 0; fi
  touch tso
  vsctl set Open_vSwitch . other_config:userspace-tso-enable=true
  systemctl restart ovs-vswitchd.service
}

# Containers send from their own addresses, and nothing but IPv4. What comes from other hosts has passed this there.
flow_text() {
  awk 'NF { print "priority=10,in_port=" $4 ",actions=NORMAL" }' tunnels
  while read -r name _ _ _ _ vlan address range _; do
    if [ -z "$name" ]; then continue; fi
    echo "priority=20,in_port=$((10000 + vlan)),arp,arp_spa=$range,actions=NORMAL"
    echo "priority=20,in_port=$((10000 + vlan)),ip,nw_src=$range,actions=NORMAL"
    if [ "$address" != - ]; then echo "priority=10,in_port=$((20000 + vlan)),actions=NORMAL"; fi
  done <networks
  trunk_flows
}

flows() {
  vsctl br-exists "$bridge" || return 0
  flow_text | ovs-ofctl --bundle replace-flows "$bridge" -
}

# The host would route between its own addresses in any two networks, and from outside into each.
rule_text() {
  cat <<END
table inet $table
delete table inet $table
table inet $table {
  chain forward {
    type filter hook forward priority filter - 4; policy accept;
    iifname "ovp-*" drop
    ct state established,related accept
    oifname "ovg-*" drop
$(trunk_rules)
    iifname "ovg-*" meta oifkind "bridge"$(not_uplinks) drop
  }
  chain input {
    type filter hook input priority filter - 4; policy accept;
    iifname "ovp-*" drop
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
$(awk 'NF && $7 != "-" { print "    ip saddr " $9 " oifname != \"ovg-*\" masquerade" }' networks)
  }
}
table netdev $table
delete table netdev $table
END
  # A program reads the ports beside the kernel, which would answer for the host on each of them, past the gates and their rules.
  devices=$(wanted_ports | sed 's/.*/"&"/' | paste -s -d , -)
  if is_program && [ -n "$devices" ]; then
    printf 'table netdev %s {\n  chain heard {\n    type filter hook ingress devices = { %s } priority 0; policy drop;\n  }\n}\n' "$table" "$devices"
  fi
}

rules() { rule_text | nft -f -; }

# At the end of Docker's chain, whose last word is to drop what it does not know.
accept() {
  passes -i ovg-+
  passes -o ovg-+ -m conntrack --ctstate RELATED,ESTABLISHED
}
passes() {
  set -- FORWARD "$@" -m comment --comment "$note" -j ACCEPT
  iptables -w 10 -C "$@" 2>/dev/null || iptables -w 10 -A "$@"
}

up() {
  choose_datapath >datapath.new
  mv -f datapath.new datapath
  links
  tunnels
  ports
  switches
  if is_program; then offload; fi
  flows
  forget_ways
  rules
  accept
}

down() {
  : >networks
  : >tunnels
  if command -v ovs-vsctl >/dev/null 2>&1; then
    down_switches
    vsctl --if-exists del-br "$bridge"
    # Somebody else's bridges may need it by now.
    if [ -e tso ] && [ -z "$(vsctl list-br)" ]; then vsctl remove Open_vSwitch . other_config userspace-tso-enable; fi
  fi
  : >ports.wanted
  drop_links
  for family in inet netdev; do nft delete table "$family" "$table" 2>/dev/null || true; done
  iptables -w 10 -S FORWARD 2>/dev/null | grep -F "$note" | sed 's/^-A/-D/' | while read -r rule; do echo "$rule" | xargs iptables -w 10; done
}

case "$1" in
  up) settings; up ;;
  flows) settings; flows ;;
  rules) settings; rules ;;
  down) settings; down ;;
  *) echo "unknown verb $1" >&2; exit 1 ;;
esac
