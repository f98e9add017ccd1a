#!/bin/sh
# Networks of an overlay that routes, and Docker's part of them: goes before the overlay's script, which says what these are, and has
#   MTU, GATEWAY_MODE, NETWORKS (lines as in links.sh), DOCKER (lines: kind, network, Docker's name, subnet, gateway, parent or bridge)
# Its kind, which is in the label of its networks; where its files are: `bridges`, and `networks` with the lines that it reads; and its units.
overlay=""
folder=""
unit=""
bridges_unit=""
units=/etc/systemd/system

# What a killed run started may still be at work. With a dot: a cluster may be called as the overlay is, and its own lock then has the other name.
lock() {
  exec 9>"/run/lock/pulumi-swarm.$overlay.lock"
  flock -w 120 9 || die "another run works on $overlay on this host and does not end"
}

# FILE MODE TEXT [restart]: marks what is to be done about it, unless it has this text already.
put() {
  if has_text "$1" "$3"; then return 0; fi
  make_mark "$folder/pending"
  if [ "${4-}" = restart ]; then make_mark "$folder/restart"; fi
  write_file "$1" "$2" "$3"
}

docker_or_die() { docker "$@" 2>"$LOG" || die "docker $1 $2: $(tail -n 1 "$LOG" | sed 's/^Error response from daemon: //')"; }

mark() { echo "pulumi-swarm.overlay=$overlay"; }

# What a network is, in one line; nothing where there is none.
is_network() {
  docker network inspect --format '{{.Driver}} {{.ConfigOnly}} {{range .IPAM.Config}}{{.Subnet}} {{.Gateway}}{{end}} {{index .Options "parent"}}{{index .Options "com.docker.network.bridge.name"}} {{index .Options "com.docker.network.driver.mtu"}} {{index .Options "com.docker.network.bridge.gateway_mode_ipv4"}} {{index .Labels "pulumi-swarm.overlay"}}' "$1" 2>/dev/null | sed 's/<no value>//g' || true
}

# KIND SUBNET GATEWAY LINK: what it is to be, as is_network says it
wanted_network() {
  kind=$1
  case "$kind" in
    # What only holds addresses has no driver. Containers on it have the MTU of the link on which they hang, which can be changed.
    swarm) echo "null true $2 $3 $4   $overlay" ;;
    plain) echo "bridge false $2 $3 $4 $MTU $GATEWAY_MODE $overlay" ;;
  esac
}

# KIND DOCKER_NAME SUBNET GATEWAY LINK: there is one, and it is another
is_due() {
  is=$(is_network "$2")
  [ -n "$is" ] && [ "$is" != "$(wanted_network "$1" "$3" "$4" "$5")" ]
}

# Containers, and the swarm's network that takes its addresses from it.
users_of() {
  {
    docker network inspect --format '{{range .Containers}}{{.Name}} {{end}}' "$1" 2>/dev/null || true
    for other in $(docker network ls --filter scope=swarm --format '{{.Name}}'); do
      docker network inspect --format "{{if eq .ConfigFrom.Network \"$1\"}}network {{.Name}}{{end}}" "$other" 2>/dev/null || true
    done
  } | tr '\n' ' ' | sed 's/  */ /g; s/^ *//; s/ *$//'
}

is_unused() { [ -z "$(users_of "$1")" ]; }

# A host hears that a network of the swarm is gone after the managers do, and a task that stops holds it until it has.
lasting_users_of() { until_true 15 is_unused "$1" || users_of "$1"; }
remove_network() { docker network rm "$1" >/dev/null 2>"$LOG"; }

# KIND NETWORK DOCKER_NAME SUBNET GATEWAY LINK
make_network() {
  is=$(is_network "$3")
  if [ "$is" = "$(wanted_network "$1" "$4" "$5" "$6")" ]; then return 0; fi
  make_mark "$folder/pending"
  case "$is" in
    "") ;;
    *" $overlay")
      until_true 30 remove_network "$3" || die "the network $3 of this host must be recreated, but is in use ($(users_of "$3")): stop what uses it, and run again" ;;
    *) die "there is a network $3 on this host that is not of this package: remove it (docker network rm $3), or give the overlay's bridge another name" ;;
  esac
  kind=$1
  case "$kind" in
    swarm)
      docker_or_die network create --driver macvlan --config-only --label "$(mark)" --subnet "$4" --gateway "$5" \
        --opt parent="$6" "$3" >/dev/null ;;
    plain)
      # Addresses of containers are kept on the way to other hosts; the overlay hides them from all others.
      set -- "$@" ${GATEWAY_MODE:+--opt} ${GATEWAY_MODE:+com.docker.network.bridge.gateway_mode_ipv4=$GATEWAY_MODE}
      name=$3 range=$4 gateway=$5 bridge=$6
      shift 6
      docker_or_die network create --driver bridge --label "$(mark)" --subnet "$range" --gateway "$gateway" \
        --opt com.docker.network.bridge.name="$bridge" --opt com.docker.network.driver.mtu="$MTU" \
        --opt com.docker.network.bridge.enable_ip_masquerade=false "$@" "$name" >/dev/null ;;
  esac
}

# The swarm's networks have the labels of the host's own ones that they take their addresses from.
our_networks() { docker network ls --filter "label=$(mark)" --filter scope=local --format '{{.Name}}' 2>"$LOG" || die "docker does not answer: $(tail -n 1 "$LOG")"; }

# Networks that are not asked for any more. One that the swarm still has cannot go before that has: it is left, with its bridge.
drop_networks() {
  make_mark "$folder/networks.kept"
  for name in $(our_networks); do
    if printf '%s\n' "$DOCKER" | awk '{ print $3 }' | grep -qxF "$name"; then continue; fi
    line=$(awk -v one="$name" -v other="${name#pulumi-swarm-}" '$2 == one || $2 == other' "$folder/networks" 2>/dev/null || true)
    if until_true 15 remove_network "$name"; then
      make_mark "$folder/pending"
      say "removed the network $name of this host"
      write_file "$folder/networks.gone" 0600 "$line"
      if [ -n "$line" ]; then sh "$folder/bridges" remove networks.gone; fi
      rm "$folder/networks.gone"
    else
      say "leaves the network $name of this host, which is in use, for the next run"
      if [ -n "$line" ]; then printf '%s\n' "$line" >>"$folder/networks.kept"; fi
    fi
  done
}

# All that are asked for.
make_networks() {
  write_file "$folder/docker.wanted" 0600 "$DOCKER"
  while read -r kind network name range gateway link; do
    if [ -n "$kind" ]; then make_network "$kind" "$network" "$name" "$range" "$gateway" "$link"; fi
  done <"$folder/docker.wanted"
  rm "$folder/docker.wanted"
}

# UNIT TEXT [restart]
put_unit() { put "$units/$1" 0644 "$2" "${3-}"; }

bridges_unit_text() {
  cat <<END
[Unit]
Description=Bridges of $overlay's networks
After=network-pre.target
Before=docker.service $unit

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh $folder/bridges up

[Install]
WantedBy=multi-user.target
END
}

# COMMAND…, which is to make the bridges
bridges_by() { "$@" 2>"$LOG" || die "the bridges cannot be made: $(tail -n 1 "$LOG")"; }

# The networks, once the overlay's own files and its unit are there.
raise_networks() {
  put_unit "$bridges_unit" "$(bridges_unit_text)"
  drop_networks
  put "$folder/networks" 0600 "$({ printf '%s\n' "$NETWORKS"; cat "$folder/networks.kept"; } | sed '/^$/d')"
  rm "$folder/networks.kept"
  if [ -e "$folder/pending" ]; then systemctl daemon-reload; fi
  for each in "$bridges_unit" "$unit"; do
    systemctl is-enabled --quiet "$each" 2>/dev/null || systemctl enable "$each" 2>"$LOG" || die "$(tail -n 1 "$LOG")"
  done
  systemctl is-active --quiet "$bridges_unit" || bridges_by systemctl start "$bridges_unit"
  bridges_by sh "$folder/bridges" up
  make_networks
}

# What is let through between networks alone.
admit() {
  if [ -e "$folder/networks" ]; then
    put "$folder/policy" 0600 "$POLICY"
    if [ -e "$folder/pending" ]; then
      sh "$folder/bridges" up 2>"$LOG" || die "what is let through between networks cannot be changed: $(tail -n 1 "$LOG")"
      rm "$folder/pending"
    fi
  fi
  echo '{}'
}

# Those that would have to be recreated and are in use, as JSON's strings with commas between.
blocked_networks() {
  separator=""
  printf '%s\n' "$DOCKER" | while read -r kind _ name range gateway link; do
    if [ -z "$kind" ] || ! is_due "$kind" "$name" "$range" "$gateway" "$link"; then continue; fi
    users=$(lasting_users_of "$name")
    if [ -n "$users" ]; then
      printf '%s"%s (used by %s)"' "$separator" "$name" "$users"
      separator=,
    fi
  done
}

remove_our_networks() {
  if ! command -v docker >/dev/null 2>&1; then return 0; fi
  for name in $(our_networks); do
    until_true 30 remove_network "$name" ||
      die "the network $name is in use ($(users_of "$name")): remove what uses it, and run again"
  done
}

is_gone() { [ ! -e "$folder" ] && [ ! -e "$units/$unit" ] && [ ! -e "$units/$bridges_unit" ]; }

# Before the overlay's own goes.
take_networks_off() {
  remove_our_networks
  systemctl disable --now "$unit" "$bridges_unit" >/dev/null 2>&1 || true
  rm -f "$units/$unit" "$units/$bridges_unit"
  systemctl daemon-reload
}
