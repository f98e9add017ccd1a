#!/bin/sh
# VLANs of the user's switches: goes before bridge.sh, which has `vsctl`, `is_link`, the bridge's name and the datapath. The file `trunks` has
# a line for each: name, interface (- on hosts that do not carry it), switch, VLAN, port, far port, VLAN of the network in the bridge, range of
# machines there, carrier. Each interface is in a switch of its own, which takes these VLANs from it and nothing else. Both ends of the
# way to the bridge are without a tag, so that one number becomes the other.
bridge=""

trunks() { sed '/^ *$/d' trunks 2>/dev/null || true; }
carried() { trunks | awk '$2 != "-"'; }
trunk_ports() { carried | awk '{ print $5 }'; }

# Whether Open vSwitch hears an interface. Of one that was made again on a running host, a program goes on listening to the one that is gone.
is_heard() { [ "$(($(cat "/sys/class/net/$1/flags") & 0x100))" -ne 0 ]; }
drop_deaf() {
  carried | awk '{ print $2, $3 }' | sort -u | while read -r interface switch; do
    if is_link "$interface" && ! is_heard "$interface"; then vsctl --if-exists del-port "$switch" "$interface"; fi
  done
}

# What is not asked for any more goes first: one interface is in one switch.
drop_switches() {
  vsctl list-br | { grep '^ovt-' || true; } | while read -r switch; do
    if carried | awk -v switch="$switch" '$3 == switch { found = 1 } END { exit !found }'; then
      carried | awk -v switch="$switch" '$3 == switch { print $2; print $6 }' >ports.switch
      vsctl list-ports "$switch" | { grep -vxF -f ports.switch || true; } | while read -r port; do vsctl --if-exists del-port "$switch" "$port"; done
      rm ports.switch
    else
      vsctl del-br "$switch"
    fi
  done
  drop_deaf
}

# An interface that is not there yet is taken when it comes: Open vSwitch waits for it.
switches() {
  drop_switches
  set --
  while read -r name interface switch vlan port far inside _; do
    if [ -z "$name" ]; then continue; fi
    vlans=$(carried | awk -v switch="$switch" '$3 == switch { print $4 }' | sort -nu | paste -s -d , -)
    set -- "$@" -- --may-exist add-br "$switch" -- set bridge "$switch" datapath_type="$(cat datapath)" fail_mode=standalone
    set -- "$@" -- --may-exist add-port "$switch" "$interface" -- set port "$interface" vlan_mode=trunk trunks="$vlans"
    set -- "$@" -- --may-exist add-port "$switch" "$far" -- set port "$far" tag="$vlan" -- set interface "$far" type=patch options:peer="$port"
    set -- "$@" -- --may-exist add-port "$bridge" "$port" -- set port "$port" tag="$inside" \
      -- set interface "$port" type=patch options:peer="$far" ofport_request="$((30000 + inside))"
    if is_link "$interface"; then ip link set "$interface" up; fi
  done <<END
$(carried)
END
  if [ $# -gt 0 ]; then vsctl "$@"; fi
}

# Another host may carry it now, and machines that say nothing would be sent to the old one for minutes.
forget_ways() { if [ -n "$(trunks)" ]; then ovs-appctl --timeout=10 fdb/flush "$bridge" >/dev/null; fi; }

# Machines there send from their own range, and nothing but IPv4. Nobody else does: what comes from another host with such an address went
# out by a second carrier, and would go round.
trunk_flows() {
  carried | while read -r _ _ _ _ _ _ inside range _; do
    for what in arp,arp_spa ip,nw_src; do
      echo "priority=20,in_port=$((30000 + inside)),$what=$range,actions=NORMAL"
      echo "priority=15,dl_vlan=$inside,$what=$range,actions=drop"
    done
  done
}

# No host is their way to anywhere else: they would have its address there.
trunk_rules() { trunks | awk '{ print "    iifname \"ovg-*\" ip saddr " $8 " drop" }'; }

down_switches() {
  : >trunks
  drop_switches
}
