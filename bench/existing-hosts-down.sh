#!/bin/bash
# Undoes existing-hosts.sh, but for Docker's settings, as a destroy does. Usage: existing-hosts-down.sh SSH_CONFIG HOST...
set -euo pipefail
config=$1
shift
pids=()
for host in "$@"; do
  ssh -F "$config" "$host" "set -eu
    docker info -f '{{.Swarm.LocalNodeState}}' | grep -qx inactive || docker swarm leave --force >/dev/null
    nft delete table inet pulumi_swarm 2>/dev/null || true
    rm -f /etc/bench.nft" &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid"; done
