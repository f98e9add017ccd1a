#!/bin/bash
# The yardstick: the same work by a careful hand-written script over the system's ssh, all hosts in parallel.
# Usage: existing-hosts.sh SSH_CONFIG MANAGERS FIRST [HOST...]; join tokens go over standard input.
set -euo pipefail
config=$1
managers=$2
first=$3
shift 3
on() { ssh -F "$config" "$@"; }

# The address that we came in by: a host with Docker has several.
address() { on "$1" "echo \$SSH_CONNECTION | cut -d' ' -f3"; }
leader=$(address "$first")
on "$first" "docker info -f '{{.Swarm.LocalNodeState}}' | grep -qx active ||
  docker swarm init --advertise-addr $leader --listen-addr $leader:2377 --data-path-addr $leader >/dev/null"
tokens=$(on "$first" "docker swarm join-token -q manager; docker swarm join-token -q worker")

place=1
pids=()
for host in "$@"; do
  place=$((place + 1))
  if [ "$place" -le "$managers" ]; then token=$(sed -n 1p <<<"$tokens"); else token=$(sed -n 2p <<<"$tokens"); fi
  on "$host" "read -r token; own=\$(echo \$SSH_CONNECTION | cut -d' ' -f3)
    docker info -f '{{.Swarm.LocalNodeState}}' | grep -qx active ||
    docker swarm join --token \"\$token\" --advertise-addr \"\$own\" --listen-addr \"\$own:2377\" --data-path-addr \"\$own\" $leader:2377 >/dev/null" <<<"$token" &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid"; done

# What a person would check: every host is there and ready.
until [ "$(on "$first" "docker node ls --format '{{.Status}}' | grep -cx Ready")" -eq $((place)) ]; do sleep 0.2; done
on "$first" "docker network inspect bench >/dev/null 2>&1 ||
  docker network create -d overlay --attachable --subnet 10.98.77.0/24 bench >/dev/null"
