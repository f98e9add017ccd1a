#!/bin/sh
# What stands in the way of VLANs of the user's switches: goes before openvswitch.sh. Nothing is changed yet. TRUNKS: lines as in trunks.sh

others_of() { for link in /sys/class/net/*; do echo "${link##*/}"; done | grep -vE "^(lo|docker.*|veth.*|ov[a-z]-.*|ovs-.*|br-.*|$1)\$" | sort | paste -s -d ' ' -; }
of_switch() { command -v ovs-vsctl >/dev/null 2>&1 && ovs-vsctl --timeout=10 port-to-br "$1" 2>/dev/null; }
own_vlan() { ip -d -o link show type vlan 2>/dev/null | awk -v at="@$1:" -v id=" id $2 " 'index($2, at) && index($0, id) { sub(/@.*/, "", $2); print $2 }'; }

refuse_trunks() {
  printf '%s\n' "$TRUNKS" | while read -r name interface _ vlan _; do
    if [ -z "$name" ] || [ "$interface" = - ]; then continue; fi
    refuse_interface "$name" "$interface" "$vlan"
  done
}

# NAME INTERFACE VLAN
refuse_interface() {
  link=/sys/class/net/$2
  # One that is taken away for a while is taken again when it comes.
  is_in=$(of_switch "$2" || true)
  case "$is_in" in
    ovt-*) if [ ! -e "$link" ]; then return 0; fi ;;
    "") ;;
    *) die "the interface $2 of the trunk $1 is in the bridge $is_in of Open vSwitch. Fix: name one that nothing else uses" ;;
  esac
  [ -e "$link" ] || die "this host has no interface $2, which the trunk $1 is to use. Fix: name the one that is connected to the switch; it has: $(others_of none)"
  case "$is_in" in "") refuse_own_use "$1" "$2" ;; esac
  own=$(own_vlan "$2" "$3")
  [ -z "$own" ] || die "VLAN $3 of $2, which the trunk $1 is to use, is this host's own link $own already. Fix: remove that link, or take another VLAN"
  [ "$(cat "$link/mtu")" -ge "$MTU" ] || die "the interface $2 of the trunk $1 has MTU $(cat "$link/mtu"), and packets of containers have up to $MTU bytes. Fix: ip link set $2 mtu $MTU, permanently"
}

# NAME INTERFACE: before it is taken over. Later, a router there may have the host give itself an address.
refuse_own_use() {
  address=$(ip -o address show dev "$2" scope global | awk '{ print $4; exit }')
  if [ -n "$address" ]; then
    reach=""
    # The host's own address is given.
    # shellcheck disable=SC2153
    case "$address" in "$ADDRESS"/*) reach=", by which other hosts reach it" ;; esac
    die "the interface $2 of the trunk $1 has the address $address of this host$reach, and Open vSwitch would take the interface over. Fix: name one without an address; it has: $(others_of "$2")"
  fi
  master=$(readlink "/sys/class/net/$2/master" || true)
  case "${master##*/}" in
    "") ;;
    *) die "the interface $2 of the trunk $1 is a part of ${master##*/}. Fix: name ${master##*/}, if that is connected to the switch" ;;
  esac
}
