#!/bin/sh
# Open vSwitch on one host: the program, the bridge of its networks, and their part of Docker. Every verb may be run again at any time,
# also after a run that was cut off.
#   up       ADDRESS, PORT, MTU, NETWORKS and TUNNELS (lines as in bridge.sh), DOCKER (lines: network, Docker's name, subnet, range, gateway,
#            parent, internal), TRUNKS (lines as in trunks.sh), BRIDGE (text of both). Result: the datapath, and what stands in the way of it
#   check    as reached.sh has it. Result: addresses that are silent
#   down     everything of it away but the program
set -eu
umask 077

folder=/etc/pulumi-swarm/openvswitch
unit=pulumi-swarm-openvswitch.service
units=/etc/systemd/system
hook=$units/ovs-vswitchd.service.d/pulumi-swarm.conf
mark=pulumi-swarm.overlay=openvswitch
changed=false

# What a killed run started may still be at work.
lock() {
  exec 9>/run/lock/pulumi-swarm.openvswitch.lock
  flock -w 120 9 || die "another run works on Open vSwitch on this host and does not end"
}

# FILE MODE TEXT
put() {
  if has_text "$1" "$3"; then return 0; fi
  changed=true
  write_file "$1" "$2" "$3"
}

# They go into files that a shell reads.
refuse_special() {
  for value in "$ADDRESS" "$PORT" "$MTU"; do
    case "$value" in *[!0-9.]* | "") die "\"$value\" is not a setting of Open vSwitch" ;; esac
  done
}

# Docker hangs containers on links that must be there before it starts.
unit_text() {
  cat <<END
[Unit]
Description=The bridge of Open vSwitch's networks
After=network-pre.target ovsdb-server.service ovs-vswitchd.service openvswitch-switch.service
Wants=ovs-vswitchd.service
Before=docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh $folder/bridge up
Restart=on-failure
RestartSec=2

[Install]
WantedBy=multi-user.target
END
}

# It starts again by itself when it was killed, and nobody else would hear of it.
hook_text() { printf '[Service]\nExecStartPost=-/bin/sh %s/bridge flows\n' "$folder"; }

# ---- Docker's networks

docker_or_die() { docker "$@" 2>"$LOG" || die "docker $1 $2: $(tail -n 1 "$LOG" | sed 's/^Error response from daemon: //')"; }

# What a network of this host is, in one line; nothing where there is none.
is_network() {
  docker network inspect --format '{{range .IPAM.Config}}{{.Subnet}} {{.IPRange}} {{.Gateway}}{{end}} {{.Options.parent}} {{index .Labels "pulumi-swarm.overlay"}}' "$1" 2>/dev/null || true
}

# The swarm's network that takes its addresses from it.
is_taken() { [ "$(docker network inspect --format '{{.ConfigFrom.Network}}' "$1" 2>/dev/null)" = "$2" ]; }
containers_on() { docker network inspect --format '{{range .Containers}}{{.Name}} {{end}}' "$1" 2>/dev/null | sed 's/ *$//'; }

# A host hears that a network of the swarm is gone after the managers do.
is_free() { ! is_taken "$1" "$2"; }

# Before anything is changed: Docker cannot change a network, and what uses one must not lose its way out.
refuse_used() {
  write_file "$folder/docker.wanted" 0600 "$DOCKER"
  while read -r network name wanted internal; do
    if [ -z "$network" ]; then continue; fi
    is=$(is_network "$name")
    if [ -n "$is" ] && [ "$is" != "$(echo "$wanted" | tr , ' ') openvswitch" ] && ! until_true 15 is_free "$network" "$name"; then
      die "the network $name of this host must be recreated, but the network $network of the swarm takes its addresses from it. Fix: take $network out of the program, run, and add it again"
    fi
    was=$(awk -v name="$network" '$1 == name { print ($7 == "-" ? "true" : "false") }' "$folder/networks" 2>/dev/null || true)
    users=$(if is_taken "$network" "$name"; then containers_on "$network"; fi)
    if [ -n "$was" ] && [ "$was" != "$internal" ] && [ -n "$users" ]; then
      die "the network $network is used by $users on this host, so its way out cannot be changed. Fix: stop these, and run again"
    fi
  done <"$folder/docker.wanted"
}

remove_network() { docker network rm "$1" >/dev/null 2>"$LOG"; }

# The swarm's networks have the labels of the host's own ones that they take their addresses from.
our_networks() { docker network ls --filter "label=$mark" --filter scope=local --format '{{.Name}}' 2>"$LOG" || die "docker does not answer: $(tail -n 1 "$LOG")"; }

# Networks that are not asked for any more. One that the swarm still has cannot go before that has: it is left, with its links.
drop_networks() {
  make_mark "$folder/networks.kept"
  for name in $(our_networks); do
    if awk -v name="$name" '$2 == name { found = 1 } END { exit !found }' "$folder/docker.wanted"; then continue; fi
    if until_true 15 remove_network "$name"; then
      changed=true
      say "removed the network $name of this host"
    else
      say "leaves the network $name of this host, which is in use, for the next run"
      awk -v name="${name#pulumi-swarm-}" '$1 == name' "$folder/networks" >>"$folder/networks.kept" 2>/dev/null || true
    fi
  done
}

# Containers of this host get addresses of its own range alone; the range's first one is not a host's anywhere.
make_network() {
  is=$(is_network "$2")
  if [ "$is" = "$(echo "$3" | tr , ' ') openvswitch" ]; then return 0; fi
  changed=true
  case "$is" in
    "") ;;
    *" openvswitch") remove_network "$2" || die "the network $2 of this host cannot be recreated: $(tail -n 1 "$LOG")" ;;
    *) die "there is a network $2 on this host that is not of this package. Fix: remove it (docker network rm $2)" ;;
  esac
  name=$2
  IFS=, read -r subnet range gateway parent <<END
$3
END
  set --
  if [ "${range%/*}" != "${subnet%/*}" ]; then set -- --aux-address "first=${range%/*}"; fi
  docker_or_die network create --driver macvlan --config-only --label "$mark" --subnet "$subnet" --ip-range "$range" --gateway "$gateway" "$@" \
    --opt parent="$parent" "$name" >/dev/null
}

# ---- verbs

up() {
  refuse_special
  refuse_trunks
  need ovs-vsctl openvswitch-switch
  need iptables iptables
  need nft nftables
  mkdir -p "$folder" "${hook%/*}"
  refuse_used
  put "$folder/bridge" 0700 "$BRIDGE"
  put "$folder/settings" 0600 "$(printf 'HERE=%s\nUDP_PORT=%s\nMTU=%s' "$ADDRESS" "$PORT" "$MTU")"
  put "$units/$unit" 0644 "$(unit_text)"
  put "$hook" 0644 "$(hook_text)"
  drop_networks
  put "$folder/tunnels" 0600 "$(printf '%s' "$TUNNELS")"
  put "$folder/networks" 0600 "$({ printf '%s\n' "$NETWORKS"; cat "$folder/networks.kept"; } | sed '/^$/d')"
  rm "$folder/networks.kept"
  put "$folder/trunks" 0600 "$(printf '%s' "$TRUNKS")"
  if "$changed"; then systemctl daemon-reload; fi
  systemctl is-enabled --quiet "$unit" 2>/dev/null || systemctl enable "$unit" 2>"$LOG" || die "$(tail -n 1 "$LOG")"
  systemctl start ovs-vswitchd.service 2>"$LOG" || die "Open vSwitch does not start: $(tail -n 1 "$LOG")"
  sh "$folder/bridge" up 2>"$LOG" || die "Open vSwitch's bridge cannot be made: $(tail -n 1 "$LOG")"
  systemctl is-active --quiet "$unit" || systemctl start "$unit" 2>"$LOG" || die "Open vSwitch's bridge cannot be made: $(tail -n 1 "$LOG")"
  while read -r network name wanted _; do
    if [ -n "$network" ]; then make_network "$network" "$name" "$wanted"; fi
  done <"$folder/docker.wanted"
  rm "$folder/docker.wanted"
  printf '{"changed":%s,"datapath":"%s"}\n' "$changed" "$(cat "$folder/datapath")"
}

down() {
  if [ ! -e "$folder" ] && [ ! -e "$units/$unit" ] && [ ! -e "$hook" ]; then
    echo '{"changed":false}'
    return 0
  fi
  if command -v docker >/dev/null 2>&1; then
    for name in $(our_networks); do
      until_true 30 remove_network "$name" || die "the network $name of this host cannot be removed: $(tail -n 1 "$LOG"). Fix: remove what uses it, and run again"
    done
  fi
  systemctl disable --now "$unit" >/dev/null 2>&1 || true
  if [ -e "$folder/bridge" ]; then sh "$folder/bridge" down 2>"$LOG" || die "Open vSwitch's bridge cannot be removed: $(tail -n 1 "$LOG")"; fi
  rm -f "$units/$unit" "$hook"
  rmdir "${hook%/*}" 2>/dev/null || true
  systemctl daemon-reload
  # Last: as long as it is there, a run that was cut off is seen to be unfinished.
  rm -rf "$folder"
  rmdir "${folder%/*}" 2>/dev/null || true
  echo '{"changed":true}'
}

case "$1" in
  up) lock; up ;;
  check) check ;;
  down) lock; down ;;
  *) die "unknown verb $1" ;;
esac
