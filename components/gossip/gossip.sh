#!/bin/sh
# Docker's gossip and overlay data on one host. All verbs may be run again at any time.
#   ports    DATA_PORT: who has the ports that Docker's network agent needs on this host; changes nothing
#   ping     PEERS: addresses on the ingress network, one a line, and which of them send no answer through it; changes nothing
#   restart  restarts the engine, which is all that releases a listener that it leaked
set -eu

gossip_port=7946
# The engine's own network namespace of the ingress network, on every member of a swarm that has one.
namespace=/run/docker/netns/ingress_sbox
most_at_once=16

# A line of JSON for each program that has one of the ports. What the kernel has itself, such as VXLAN, shows no program. Of ss,
# "udp UNCONN 0 0 0.0.0.0:7946 0.0.0.0:* users:(("dockerd",pid=1,fd=2),…)".
holders() {
  ss -Hlntup "( sport = :$gossip_port or sport = :$DATA_PORT )" 2>/dev/null | while read -r protocol _ _ _ socket _ users; do
    port=${socket##*:}
    if [ "$protocol $port" = "tcp $DATA_PORT" ]; then continue; fi
    while :; do
      case $users in *'("'*'",pid='[0-9]*) ;; *) break ;; esac
      users=${users#*'("'}
      program=${users%%'"'*}
      users=${users#*'",pid='}
      echo "{\"protocol\":\"$protocol\",\"port\":$port,\"program\":\"$program\",\"pid\":${users%%[!0-9]*}}"
    done
  done
}

ports() {
  command -v ss >/dev/null 2>&1 || { echo '{"holders":[]}'; return; }
  printf '{"holders":[%s]}\n' "$(holders | tr -cd 'A-Za-z0-9._:/{}", \n-' | sort -u | paste -s -d , -)"
}

inside() { nsenter "--net=$namespace" "$@" >/dev/null 2>&1; }

# ADDRESS SECONDS. An engine may not know yet which host has the address. The kernel then asks again only after a second, unless it forgets
# that it asked.
answers() { inside ping -q -c 1 -W "$2" "$1" || { inside ip neigh flush to "$1" nud incomplete; false; }; }

# One lost packet is no verdict, and an address may have to be learned first: where a machine took over a lost one's address, by the next
# exchange of whole tables, which is every 30 s (memberlist, PushPullInterval of DefaultLANConfig).
answers_in_time() { answers "$1" 0.2 || answers "$1" 0.2 || until_true 40 answers "$1" 1; }

ping_peers() {
  if ! command -v ping >/dev/null 2>&1 || ! command -v nsenter >/dev/null 2>&1 || [ ! -e "$namespace" ]; then
    echo '{"tried":false,"silent":[]}'
    return
  fi
  started=0
  for peer in $PEERS; do
    { answers_in_time "$peer" || echo "$peer" >>"$LOG"; } &
    started=$((started + 1))
    if [ $((started % most_at_once)) -eq 0 ]; then wait; fi
  done
  wait
  printf '{"tried":true,"silent":[%s]}\n' "$(sort "$LOG" | sed 's/.*/"&"/' | paste -s -d , -)"
}

engine_answers() { timeout 20 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

restart() {
  # Debian's unit allows three starts a minute, whoever asked for them.
  systemctl reset-failed docker >/dev/null 2>&1 || true
  timeout 120 systemctl restart docker >"$LOG" 2>&1 || die "Docker did not start again: $(tail -n 1 "$LOG")"
  until_true 60 engine_answers || die "Docker does not answer 60 s after its restart: see journalctl -u docker"
  echo '{}'
}

case "$1" in
  ports) ports ;;
  ping) ping_peers ;;
  restart) restart ;;
  *) die "unknown verb $1" ;;
esac
