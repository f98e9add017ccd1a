#!/bin/sh
# flannel on one host: flanneld, the bridges of its networks, and their part of Docker. Every verb may be run again at any time,
# also after a run that was cut off.
#   look     MTU, DOCKER, GATEWAY_MODE as in up: what it was given last time, and which of Docker's networks would have to be made anew,
#            but are in use. Changes nothing
#   pause    flanneld stops; what it has set up stays, and carries traffic
#   up       SPACE, SUBNET, FIRST (address in it, with prefix), ADDRESS, BACKEND, MTU, UNDERLAY (a unit, or empty), FLANNELD, ETCDCTL, ENDPOINTS, NETWORKS (lines as in
#            bridges.sh), DOCKER (lines: kind, name, Docker's name, subnet, gateway, parent or bridge), GATEWAY_MODE, POLICY (lines as in
#            tenants.sh), BRIDGES and PIN (texts of the scripts)
#   settle   WAYS (subnets of other hosts): has flanneld have its own backend's route to each, and takes away what another one has left.
#            When no host needs that any more
#   follow   GONE and WAYS (subnets of other hosts): has flanneld have no route to the ones and one to each of the others
#   check    as reached.sh has it. Result: addresses that are silent
#   admit    POLICY alone, where it was put up
#   down     everything of it away but the mark that something may be left
#   forget   the mark
set -eu
umask 077

overlay=flannel
folder=/etc/pulumi-swarm/$overlay
unit=pulumi-swarm-flannel.service
bridges_unit=pulumi-swarm-flannel-bridges.service
run=/run/pulumi-swarm-flannel
device=flannel.1

setting() { sed -n "s/^$1=//p" "$folder/settings" 2>/dev/null || true; }

look() {
  blocked=""
  if [ -e "$folder" ]; then blocked=$(blocked_networks); fi
  printf '{"subnet":"%s","backend":"%s","blocked":[%s]}\n' "$(setting SUBNET)" "$(setting BACKEND)" "$blocked"
}

pause() {
  say "flanneld stops, for this host's subnet to become another one"
  systemctl stop "$unit" 2>/dev/null || true
  echo '{}'
}

# They go into files that a shell and systemd read.
refuse_special() {
  for value in "$SPACE" "$SUBNET" "$ADDRESS" "$BACKEND" "$MTU" "$FLANNELD" "$ETCDCTL" "$ENDPOINTS"; do
    case "$value" in *[!0-9A-Za-z./:,_-]* | "") die "\"$value\" is not a setting of flannel" ;; esac
  done
}

settings_text() { printf 'SPACE=%s\nSUBNET=%s\nBACKEND=%s\nMTU=%s\n' "$SPACE" "$SUBNET" "$BACKEND" "$MTU"; }

environment_text() {
  cat <<END
# backend $BACKEND, packets of $MTU bytes
FLANNELD_ETCD_ENDPOINTS=$ENDPOINTS
FLANNELD_ETCD_CAFILE=$folder/ca.pem
FLANNELD_ETCD_CERTFILE=$folder/host.pem
FLANNELD_ETCD_KEYFILE=$folder/host.pem
FLANNELD_IFACE=$ADDRESS
FLANNELD_PUBLIC_IP=$ADDRESS
FLANNELD_SUBNET_FILE=$run/subnet.env
FLANNELD_IP_MASQ=true
ETCDCTL=$ETCDCTL
ETCDCTL_API=3
ETCDCTL_ENDPOINTS=$ENDPOINTS
ETCDCTL_CACERT=$folder/ca.pem
ETCDCTL_CERT=$folder/host.pem
ETCDCTL_KEY=$folder/host.pem
PIN_KEY=/coreos.com/network/subnets/$(echo "$SUBNET" | tr / -)
PIN_ADDRESS=$ADDRESS
BACKEND=$BACKEND
END
}

# It exits without an error when its lease is taken away, so it is started again always. Docker does not wait for it: bridges are
# there without it, and a host whose etcd is away must come up all the same.
unit_text() {
  cat <<END
[Unit]
Description=flanneld, which makes the routes to the containers of other hosts
After=network-online.target $bridges_unit pulumi-swarm-flannel-etcd.service $UNDERLAY
Wants=network-online.target $bridges_unit
${UNDERLAY:+PartOf=$UNDERLAY
}StartLimitIntervalSec=0

[Service]
Type=notify
EnvironmentFile=$folder/flanneld.env
RuntimeDirectory=pulumi-swarm-flannel
ExecStartPre=-/sbin/modprobe br_netfilter
ExecStartPre=/bin/sh $folder/pin
ExecStart=$FLANNELD
ExecStartPost=/bin/grep -qx FLANNEL_SUBNET=$FIRST $run/subnet.env
Restart=always
RestartSec=2
TimeoutStartSec=infinity

[Install]
WantedBy=multi-user.target
END
}

# What it said last itself, among systemd's own lines.
reason() {
  journalctl -u "$unit" --since "@$began" _TRANSPORT=stdout -n 1 -o cat -q 2>/dev/null | sed 's/^[IWEF][0-9]* [^]]*\] //' | grep . ||
    echo "journalctl -u $unit says why"
}

up() {
  refuse_special
  need iptables iptables
  need nft nftables
  [ -s "$folder/host.pem" ] || die "this host has no certificate for etcd yet"
  put "$folder/bridges" 0700 "$BRIDGES"
  put "$folder/policy" 0600 "$POLICY"
  put "$folder/pin" 0700 "$PIN" restart
  put "$folder/settings" 0600 "$(settings_text)"
  put "$folder/flanneld.env" 0600 "$(environment_text)" restart
  put_unit "$unit" "$(unit_text)" restart
  raise_networks
  run_flanneld
  if [ -e "$folder/pending" ]; then
    rm "$folder/pending"
    echo '{"changed":true}'
  else
    echo '{"changed":false}'
  fi
}

flanneld_runs() { systemctl is-active --quiet "$unit"; }

# It is ready only when etcd has answered, and tries as long as that takes: the wait has a limit of its own.
start_flanneld() {
  began=$(date +%s)
  systemctl start --no-block "$unit" 2>"$LOG" || die "flanneld does not start: $(tail -n 1 "$LOG")"
  until_true 45 flanneld_runs || die "flanneld does not come up: $(reason)"
}

run_flanneld() {
  if [ ! -e "$folder/restart" ] && flanneld_runs && { [ "$BACKEND" != vxlan ] || [ -e "/sys/class/net/$device" ]; }; then return 0; fi
  make_mark "$folder/pending"
  say "starting flanneld"
  systemctl stop "$unit" 2>/dev/null || true
  start_flanneld
  rm -f "$folder/restart"
}

# Routes by another way than the backend's own.
foreign_routes() {
  ip -4 route show root "$(setting SPACE)" | awk -v own="$1" '/ via / { for (i = 1; i < NF; i++) if ($i == "dev" && $(i + 1) != own) { print $1; next } }'
}

settle() {
  changed=false
  GONE=""
  catch_up
  case "$(setting BACKEND)" in
    vxlan)
      for route in $(foreign_routes "$device"); do
        ip route delete "$route" 2>/dev/null || true
        changed=true
      done ;;
    host-gw)
      if [ -e "/sys/class/net/$device" ]; then
        ip link delete "$device"
        changed=true
      fi ;;
  esac
  printf '{"changed":%s}\n' "$changed"
}

has_route() { ip -4 route show "$1" | grep -q ' via '; }

# By the backend's own way.
has_way() {
  case "$(setting BACKEND)" in
    vxlan) ip -4 route show "$1" dev "$device" 2>/dev/null | grep -q ' via ' ;;
    *) ip -4 route show "$1" | grep ' via ' | grep -qv " dev $device" ;;
  esac
}

follows() {
  for range in $GONE; do if has_route "$range"; then return 1; fi; done
  for way in $WAYS; do has_way "$way" || return 1; done
}

# For what it cannot undo, since it is undone already, flanneld (0.28) tries ten times in 51 s, and nothing else is done meanwhile: of a
# host that leaves three times, one of them for the route. A fresh one reads what there is; packets go on while it starts.
catch_up() {
  restarted=false
  if flanneld_runs && ! until_true 5 follows; then
    say "flanneld is behind with the routes: restarting it"
    restarted=true
    systemctl stop "$unit" 2>/dev/null || true
    for range in $GONE; do
      if has_route "$range"; then ip route delete "$range" 2>/dev/null || true; fi
    done
    start_flanneld
    until_true 10 follows || true
  fi
}

follow() {
  catch_up
  printf '{"restarted":%s}\n' "$restarted"
}

drop_chain() {
  iptables -w 10 -t "$1" -D "$2" -m comment --comment "$4" -j "$3" 2>/dev/null || true
  iptables -w 10 -t "$1" -F "$3" 2>/dev/null || true
  iptables -w 10 -t "$1" -X "$3" 2>/dev/null || true
}

down() {
  if is_gone; then
    echo '{"changed":false}'
    return 0
  fi
  take_networks_off
  ip link delete "$device" 2>/dev/null || true
  routed=$(setting SPACE)
  if [ -n "$routed" ]; then
    for route in $(foreign_routes ""); do ip route delete "$route" 2>/dev/null || true; done
    ip route delete unreachable "$routed" 2>/dev/null || true
  fi
  if [ -e "$folder/networks" ]; then sh "$folder/bridges" remove networks; fi
  if command -v nft >/dev/null 2>&1; then nft delete table inet pulumi_swarm_flannel 2>/dev/null || true; fi
  if command -v iptables >/dev/null 2>&1; then
    drop_chain filter FORWARD FLANNEL-FWD "flanneld forward"
    drop_chain nat POSTROUTING FLANNEL-POSTRTG "flanneld masq"
  fi
  rm -rf "$run"
  echo '{"changed":true}'
}

# The mark last: as long as it is there, a run that was cut off is seen to be unfinished.
forget() {
  rm -rf /var/lib/pulumi-swarm/flannel "$folder"
  rmdir /var/lib/pulumi-swarm "${folder%/*}" 2>/dev/null || true
  echo '{}'
}

case "$1" in
  look) look ;;
  pause) lock; pause ;;
  up) lock; up ;;
  settle) lock; settle ;;
  follow) lock; follow ;;
  check) check ;;
  admit) lock; admit ;;
  down) lock; down ;;
  forget) lock; forget ;;
  *) die "unknown verb $1" ;;
esac
