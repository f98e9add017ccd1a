#!/bin/sh
# Calico's networking on one host: BIRD, the bridges of its networks, and their part of Docker. Every verb may be run again at any
# time, also after a run that was cut off.
#   install  BIRD, from the distribution
#   look     MTU, DOCKER, GATEWAY_MODE as in up: the hosts with which there are sessions, which of Docker's networks would have to be
#            recreated, but are in use, and the label of the password. Changes nothing
#   up       SPACE, SUBNET, MTU, UNDERLAY (a unit, or empty), NETWORKS (lines as in bridges.sh), DOCKER (lines as in networks.sh),
#            POLICY (lines as in tenants.sh), GATEWAY_MODE, CONFIG (BIRD's), PASSWORD, LABEL (of it; empty for the first one), PEER_KEYS
#            (lines: router outside the cluster, its password), BRIDGES (text of the script). Result: whether another password than the one
#            that BIRD has lies beside it
#   renew    BIRD starts again, with the password that lies there
#   tell     CONFIG: BIRD alone, where it was put up
#   admit    POLICY alone, where it was put up
#   check    FROM (an address of this host's containers, or empty), HOSTS (lines: key, subnet, address to ask or nothing), WAIT (seconds): waits
#            for a route to each and for an answer. Result: those that are silent, and why
#   greet    WHOM (hosts, or routers outside the cluster), WAIT (seconds): waits for the sessions with all of them. Result: those that do not
#            stand, and why
#   down     everything of it away
# Passwords are handed on as files, never as arguments, and are never printed.
set -eu
umask 077

# shellcheck disable=SC2034  # of networks.sh
overlay=calico
folder=/etc/pulumi-swarm/$overlay
unit=pulumi-swarm-calico.service
bridges_unit=pulumi-swarm-calico-bridges.service
run=/run/pulumi-swarm-calico
socket=$run/bird.ctl

# ---- BIRD

bird_version() { bird --version 2>&1 | sed -n 's/^BIRD version //p'; }

# Debian's BIRD starts when it is installed, with a configuration that is nobody's.
install_bird() {
  systemctl mask bird.service >/dev/null 2>&1 || true
  result=0
  ( need bird bird2 ) || result=$?
  systemctl unmask bird.service >/dev/null 2>&1 || true
  systemctl disable bird.service >/dev/null 2>&1 || true
  [ "$result" = 0 ] || die "BIRD 2 is not on this host and cannot be installed, which the lines above explain: install the package bird2, or give the host a way to a mirror of its distribution"
}

install() {
  if ! command -v bird >/dev/null 2>&1; then install_bird; fi
  case "$(bird_version)" in
    [01].*) die "BIRD $(bird_version) is on this host, and 2.0 or newer is needed: install the package bird2" ;;
  esac
  if systemctl is-active --quiet bird.service; then
    die "BIRD runs on this host already, for somebody else (bird.service), and the overlay's BIRD needs its port: systemctl disable --now bird"
  fi
  getent passwd bird >/dev/null || die "this host has no user bird, as whom BIRD runs: install the package bird2"
  need iptables iptables
  need nft nftables
  echo '{}'
}

# Read by BIRD before it is given to the one that runs, which would go on with the old one. CONFIG on standard input would not find its
# second file.
put_config() {
  if has_text "$folder/bird.conf" "$1"; then return 0; fi
  write_file "$folder/bird.conf.next" 0600 "$1"
  bird -p -c "$folder/bird.conf.next" >"$LOG" 2>&1 || {
    rm -f "$folder/bird.conf.next"
    die "BIRD $(bird_version) does not take its configuration: $(tail -n 1 "$LOG")"
  }
  make_mark "$folder/pending"
  make_mark "$folder/reload"
  mv -f "$folder/bird.conf.next" "$folder/bird.conf"
  keep_names "$folder/bird.conf"
}

# BIRD is no root after its start, so it reads copies that are its own. The option -R: see bird.ts. A BIRD that is asked to end takes its leave of
# the others, which then take away all routes to this host at once: also when it is only to start again.
unit_text() {
  copies="/usr/bin/install -m 0640 -g bird $folder/bird.conf $folder/password.conf${PEER_KEYS:+ $folder/peers.conf} $run/"
  cat <<END
[Unit]
Description=BIRD, which exchanges the routes to the containers of all hosts
After=network-online.target $bridges_unit $UNDERLAY
Wants=network-online.target $bridges_unit
StartLimitIntervalSec=0

[Service]
Type=simple
RuntimeDirectory=pulumi-swarm-calico
ExecStartPre=$copies
ExecStart=$(command -v bird) -f -R -u bird -g bird -c $run/bird.conf -s $socket
ExecReload=$copies
ExecReload=$(command -v birdc) -s $socket configure
KillSignal=SIGKILL
SuccessExitStatus=SIGKILL
Nice=-5
Restart=always
RestartSec=200ms

[Install]
WantedBy=multi-user.target
END
}

says() { birdc -r -s "$socket" "$@" 2>/dev/null; }
bird_answers() { systemctl is-active --quiet "$unit" && says show status | grep -q 'Daemon is up and running'; }
reason() { journalctl -u "$unit" _TRANSPORT=stdout -n 1 -o cat -q 2>/dev/null | grep . || echo "journalctl -u $unit says why"; }

# A BIRD that runs takes the new configuration without ending a session that stays as it is.
run_bird() {
  if ! bird_answers; then
    make_mark "$folder/pending"
    say "starting BIRD"
    systemctl restart "$unit" 2>"$LOG" || die "BIRD does not start: $(reason)"
    until_true 30 bird_answers || die "BIRD does not come up: $(reason)"
  elif [ -e "$folder/reload" ]; then
    systemctl reload "$unit" 2>"$LOG" || die "BIRD does not take its new configuration: $(tail -n 1 "$LOG")"
  fi
  rm -f "$folder/reload"
}

# ---- verbs

sessions() { sed -n "s/^protocol bgp '\([^']*\)' from host .*/\"\1\"/p" "$folder/bird.conf" 2>/dev/null | paste -s -d , - || true; }

look() {
  blocked=""
  if [ -e "$folder" ]; then blocked=$(blocked_networks); fi
  printf '{"sessions":[%s],"blocked":[%s],"label":"%s"}\n' "$(sessions)" "$blocked" "$(password_label)"
}

# They go into files that a shell and systemd read.
refuse_special() {
  for value in "$SPACE" "$SUBNET" "$MTU"; do
    case "$value" in *[!0-9./]* | "") die "\"$value\" is not a setting of calico" ;; esac
  done
  case "$PASSWORD" in *[!0-9A-Za-z_-]* | "") die "the password for BGP is none" ;; esac
  case "$LABEL" in *[!0-9a-f]*) die "\"$LABEL\" is not a label of a password" ;; esac
  case "$PEER_KEYS" in *\"*) die "a router's password has a double quote in it" ;; esac
}

result() {
  changed=false
  if [ -e "$folder/pending" ]; then changed=true; fi
  rm -f "$folder/pending"
  stale=false
  if [ -e "$folder/password.next" ]; then stale=true; fi
  printf '{"changed":%s,"stale":%s}\n' "$changed" "$stale"
}

up() {
  refuse_special
  mkdir -p "$folder"
  put "$folder/bridges" 0700 "$BRIDGES"
  put "$folder/policy" 0600 "$POLICY"
  put "$folder/settings" 0600 "$(printf 'SPACE=%s\nSUBNET=%s\nMTU=%s' "$SPACE" "$SUBNET" "$MTU")"
  kind=$(password_kind)
  place_password "$(password_text "$kind")"
  if [ -n "$PEER_KEYS" ]; then put_password peers.conf "$(keys_text "$kind")"; fi
  put_config "$CONFIG"
  put_unit "$unit" "$(unit_text)"
  raise_networks
  run_bird
  drop_keys
  result
}

tell() {
  if [ ! -e "$folder/password.conf" ]; then
    echo '{"changed":false}'
    return 0
  fi
  put_config "$CONFIG"
  run_bird
  result
}

answers() { ping -q -c 1 -W 1 -I "$FROM" "$1" >/dev/null 2>&1; }
has_route() { ip -4 route show "$1" | grep -q ' via '; }

# KEY: the session's state and what BIRD last heard, where there is one with that host.
session_with() { says show protocols "'$1'" | awk 'NR > 2 { for (i = 6; i <= NF; i++) printf "%s%s", (i > 6 ? " " : ""), $i }'; }

# KEY SUBNET ADDRESS: why containers there are not reached; nothing where they are.
silence() {
  if ! has_route "$2"; then
    echo "no route to its containers (BGP: $(session_with "$1" | sed 's/["\\]//g' | grep . || echo "no session with it"))"
  elif [ -n "$FROM" ] && [ -n "$3" ] && command -v ping >/dev/null 2>&1 && ! answers "$3"; then
    echo "there is a route to its containers, but nothing answers"
  fi
}

silent_hosts() {
  printf '%s\n' "$HOSTS" | while read -r key range address; do
    if [ -z "$key" ]; then continue; fi
    why=$(silence "$key" "$range" "$address")
    if [ -n "$why" ]; then printf '{"key":"%s","why":"%s"}\n' "$key" "$why"; fi
  done
}

check() {
  until=$(($(date +%s) + WAIT))
  silent=$(silent_hosts)
  while [ -n "$silent" ] && [ "$(date +%s)" -lt "$until" ]; do
    sleep 0.3
    silent=$(silent_hosts)
  done
  printf '{"silent":[%s]}\n' "$(echo "$silent" | sed '/^$/d' | paste -s -d , -)"
}

down() {
  if is_gone; then
    echo '{"changed":false}'
    return 0
  fi
  take_networks_off
  # BIRD leaves its routes, for the next BIRD.
  ip -4 route flush proto bird 2>/dev/null || true
  if [ -e "$folder/networks" ]; then sh "$folder/bridges" remove networks; fi
  if [ -e "$folder/settings" ]; then sh "$folder/bridges" clear; fi
  # Last: as long as it is there, a run that was cut off is seen to be unfinished.
  rm -rf "$run" "$folder"
  rmdir "${folder%/*}" 2>/dev/null || true
  echo '{"changed":true}'
}

case "$1" in
  install) lock; install ;;
  look) look ;;
  up) lock; up ;;
  tell) lock; tell ;;
  admit) lock; admit ;;
  check) check ;;
  renew) lock; renew ;;
  greet) greet ;;
  down) lock; down ;;
  *) die "unknown verb $1" ;;
esac
