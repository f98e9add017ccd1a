#!/bin/sh
# Docker's own bridges on a host. docker-rules.sh goes before it.
#   look   prints what daemon.json holds, in base64, whether its last change still waits for a restart, and which tables lack Docker's own
#          rules. Changes nothing.
#   probe  nothing: its function `bridges_seen` is asked by the script after it
#   up     SUBNET and GATEWAY (both empty: where Docker chooses), MTU: makes docker_gwbridge, by which containers on overlay
#          networks reach the world. To be done before the host joins: the swarm would make it anywhere, and never moves it.
set -eu

swarm_state() { timeout 60 docker info --format '{{.Swarm.LocalNodeState}}' 2>"$LOG" || die "Docker does not answer: $(tail -n 1 "$LOG")"; }

bridges_seen() {
  unapplied=false
  [ ! -e /etc/pulumi-swarm/engine-restart ] || unapplied=true
  # As it is: whoever wrote it may have left anything there.
  daemon=""
  if [ -e /etc/docker/daemon.json ]; then daemon=$(base64 /etc/docker/daemon.json | tr -d '\n'); fi
  tables=""
  for each in $(tables_without_rules); do tables="$tables${tables:+,}\"$each\""; done
  printf '{"daemon":"%s","unapplied":%s,"tablesWithoutRules":[%s]}\n' "$daemon" "$unapplied" "$tables"
}

create_gwbridge() {
  set -- -o com.docker.network.bridge.name=docker_gwbridge -o com.docker.network.bridge.enable_icc=false \
    -o com.docker.network.bridge.enable_ip_masquerade=true -o "com.docker.network.driver.mtu=$MTU"
  [ -z "$SUBNET" ] || set -- "$@" --subnet "$SUBNET" --gateway "$GATEWAY"
  timeout 60 docker network create "$@" docker_gwbridge >"$LOG" 2>&1
}

# On most hosts it is missing, so that is tried first.
up() {
  if ! create_gwbridge; then
    grep -q 'already exists' "$LOG" || die "docker_gwbridge cannot be made${SUBNET:+ in $SUBNET}: $(tail -n 1 "$LOG")"
    # Things may have moved on since the look, and Docker would take a member's bridge away without a word.
    [ "$(swarm_state)" = inactive ] || die "joined a swarm meanwhile, so docker_gwbridge is left as it is; run again"
    timeout 60 docker network rm docker_gwbridge >"$LOG" 2>&1 || die "docker_gwbridge cannot be recreated: $(tail -n 1 "$LOG")"
    create_gwbridge || die "docker_gwbridge cannot be made${SUBNET:+ in $SUBNET}: $(tail -n 1 "$LOG")"
  fi
  echo '{}'
}

case "$1" in
  look) bridges_seen ;;
  probe) ;;
  up) up ;;
  *) die "unknown verb $1" ;;
esac
