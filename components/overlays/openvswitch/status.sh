#!/bin/sh
# How Open vSwitch of this host is. It only reads. Its beginning is seen.sh.
#   status   Result: whether its database and its switch answer, the states of their units and of the one that makes the bridge, how many OpenFlow rules the
#            bridge has, whether the table that keeps networks apart is loaded, the addresses to which the bridge has tunnels, and how the
#            interfaces of trunks are that this host carries
bridge=ovs-swarm

flows() { timeout 5 ovs-ofctl dump-flows "$bridge" 2>/dev/null | grep -c 'actions=' || true; }

# Of those links that are up and ports of the bridge.
tunnels() {
  ports=$(timeout 5 ovs-vsctl list-ports "$bridge" 2>/dev/null | tr '\n' ' ')
  ip -d -o link show up type vxlan 2>/dev/null | awk -v ports=" $ports" '
    { link = $2; sub(/[:@].*/, "", link) }
    index(ports, " " link " ") { for (i = 3; i < NF; i++) if ($i == "remote") print "\"" $(i + 1) "\"" }' | paste -s -d , -
}

# NAME: the bridge of a port
bridge_of() { timeout 5 ovs-vsctl port-to-br "$1" 2>/dev/null || true; }

# Lines as in trunks.sh, and what it means that one is heard. A bridge that cannot be asked has another finding.
trunks() {
  awk 'NF && $2 != "-"' /etc/pulumi-swarm/openvswitch/trunks 2>/dev/null | while read -r name interface switch _ port _; do
    if [ ! -e "/sys/class/net/$interface" ]; then state=missing
    elif [ "$(($(cat "/sys/class/net/$interface/flags") & 0x100))" -eq 0 ] || [ "$(bridge_of "$interface")" != "$switch" ] || [ "$(bridge_of "$port")" != "$bridge" ]; then state=loose
    elif [ "$(cat "/sys/class/net/$interface/carrier" 2>/dev/null || true)" != 1 ]; then state=unplugged
    else state=up
    fi
    printf '{"name":"%s","interface":"%s","state":"%s"}\n' "$name" "$interface" "$state"
  done | paste -s -d , -
}

case "$1" in
  status)
    printf '{"database":%s,"switch":%s,"units":{"ovsdb-server":"%s","ovs-vswitchd":"%s","bridge":"%s"},"flows":%s,"apart":%s,"tunnels":[%s],"trunks":[%s]}\n' \
      "$(flag timeout 5 ovs-vsctl get Open_vSwitch . _uuid)" "$(flag timeout 5 ovs-appctl -t ovs-vswitchd version)" \
      "$(unit_state ovsdb-server)" "$(unit_state ovs-vswitchd)" "$(unit_state pulumi-swarm-openvswitch)" \
      "$(flows)" "$(apart openvswitch)" "$(tunnels)" "$(trunks)"
    ;;
  *)
    echo "unknown verb $1" >&2
    exit 1
    ;;
esac
