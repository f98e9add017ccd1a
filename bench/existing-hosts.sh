#!/bin/bash
# The yardstick: the same work by a careful hand-written script over the system's ssh, all hosts in parallel.
# Usage: existing-hosts.sh SSH_CONFIG ADMIN MANAGERS FIRST [HOST...]; join tokens go over standard input.
# RULES in the environment holds more rules of the firewall.
set -euo pipefail
config=$1
admin=$2
managers=$3
first=$4
shift 4
hosts=("$first" "$@")
on() { ssh -F "$config" "$@"; }
wait_all() { for pid in "$@"; do wait "$pid"; done; }

# The addresses that we came in by: a host with Docker has several.
pids=()
for host in "${hosts[@]}"; do
  on "$host" "echo \$SSH_CONNECTION | cut -d' ' -f3" >"$config.address.$host" &
  pids+=($!)
done
wait_all "${pids[@]}"
addresses=$(for host in "${hosts[@]}"; do cat "$config.address.$host"; done | paste -sd, -)
leader=$(cat "$config.address.$first")

# Docker's bridges, and a firewall that lets in the other hosts and the operator.
prepare="set -eu
  echo '{\"bip\": \"10.97.128.1/20\", \"mtu\": 1500}' >/tmp/daemon.json
  cmp -s /tmp/daemon.json /etc/docker/daemon.json || {
    cp /tmp/daemon.json /etc/docker/daemon.json
    systemctl reset-failed docker; systemctl restart docker
    docker network rm docker_gwbridge >/dev/null 2>&1 || true
    docker network create --subnet 10.97.144.0/20 -o com.docker.network.bridge.name=docker_gwbridge \
      -o com.docker.network.bridge.enable_icc=false -o com.docker.network.bridge.enable_ip_masquerade=true docker_gwbridge >/dev/null
  }
  cat >/etc/bench.nft <<END
table inet pulumi_swarm
delete table inet pulumi_swarm
table inet pulumi_swarm {
  chain input {
    type filter hook input priority filter - 5; policy drop;
    ct state established,related accept
    iifname lo accept
    ip saddr $admin tcp dport 22 accept
    ip saddr { $addresses } tcp dport { 2377, 7946 } accept
    ip saddr { $addresses } udp dport { 7946, 4789 } accept
    ip saddr { $addresses, $admin } icmp type echo-request accept
    ${RULES:-}
  }
}
END
  nft -f /etc/bench.nft"
pids=()
for host in "${hosts[@]}"; do
  on "$host" "$prepare" &
  pids+=($!)
done
wait_all "${pids[@]}"

on "$first" "docker info -f '{{.Swarm.LocalNodeState}}' | grep -qx active || {
  docker swarm init --advertise-addr $leader --listen-addr $leader:2377 --data-path-addr $leader >/dev/null
  yes | docker network rm ingress >/dev/null
  until docker network create -d overlay --ingress --subnet 10.97.160.0/20 ingress >/dev/null 2>&1; do sleep 0.2; done
}"
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
wait_all "${pids[@]}"

# What a person would check: every host is there and ready.
until [ "$(on "$first" "docker node ls --format '{{.Status}}' | grep -cx Ready")" -eq $((place)) ]; do sleep 0.2; done
on "$first" "docker network inspect bench >/dev/null 2>&1 ||
  docker network create -d overlay --attachable --subnet 10.98.77.0/24 bench >/dev/null"
