#!/bin/sh
# Weave's router of one host, and the plugin by which Docker reaches it. Every verb may be run again at any time, also after a
# run that was cut off.
#   look     Result: the label of the password in the router's file, and of the one with which the router runs; empty for none
#   up       HOST, PORT, NICKNAME, MTU, FAST, TRUSTED, PEERS (addresses, one a line), PROGRAM (path), PLUGIN, LABEL, PASSWORD (empty for
#            none), ROUTER (text of router.sh). Starts a router that does not run, and never restarts one that does.
#            Result: the router's name, whether it runs with something else than what it was given, and whether that is another password
#   restart  no values
#   check    OTHERS (names of routers), WAIT (seconds): waits for connections to all of them. Result: the router's own list of connections,
#            and why it refused some meanwhile
#   forget   PEERS (addresses, one a line): they are called no more
#   down     PLUGIN: everything away, the password too
# The password lies in $folder and in the router's environment, where root alone can read it; it is never an argument, and never printed.
set -eu
umask 077

folder=/etc/pulumi-swarm/weave
runtime=/run/pulumi-swarm-weave
state=/var/lib/pulumi-swarm/weave
unit=pulumi-swarm-weave.service
unit_file=/etc/systemd/system/$unit
control=http://127.0.0.1:6784
changed=false

# What a killed run started may still be at work. A cluster may be called weave too, and has a lock of its own name, with a dash.
lock() {
  exec 9>/run/lock/pulumi-swarm.weave.lock
  flock -w 300 9 || die "another run works on Weave on this host and does not end"
}

# FILE MODE TEXT
put() {
  if has_text "$1" "$3"; then return 0; fi
  write_file "$1" "$2" "$3"
  changed=true
}

runs() { systemctl is-active --quiet "$unit" && [ -e "$runtime/started" ]; }

look() {
  recorded=""
  running=""
  if [ -e "$folder/label" ]; then recorded=$(cat "$folder/label"); fi
  if runs; then running=$(head -n 1 "$runtime/started"); fi
  printf '{"label":"%s","running":"%s"}\n' "$recorded" "$running"
}

# Docker may need the driver as soon as it starts. Wants the network, since the router binds to an address.
unit_text() {
  cat <<END
[Unit]
Description=Weave's router, the network between the containers of the swarm
Wants=network-online.target
After=network-online.target pulumi-swarm-wireguard.service
Before=docker.service
StartLimitIntervalSec=0

[Service]
RuntimeDirectory=pulumi-swarm-weave
RuntimeDirectoryMode=0700
WorkingDirectory=$runtime
ExecStart=/bin/sh $folder/router run
ExecStartPost=/bin/sh $folder/router ready
ExecStartPost=-/bin/sh $folder/router heal
TimeoutStartSec=120
Restart=always
RestartSec=500ms

[Install]
WantedBy=multi-user.target
END
}

# They go into a file that a shell reads.
refuse_special() {
  for setting in "$HOST" "$PORT" "$NICKNAME" "$MTU" "$FAST" "$TRUSTED" "$PROGRAM" "$PLUGIN"; do
    case "$setting" in *[!0-9A-Za-z.,:/+_-]*) die "\"$setting\" is not a setting of Weave's router" ;; esac
  done
}

settings_text() {
  for setting in HOST PORT NICKNAME MTU FAST TRUSTED PROGRAM PLUGIN; do
    eval "printf '%s=%s\n' $setting \"\$$setting\""
  done
  echo "UNIT_FILE=$unit_file"
}

# What the router itself said last; systemd's own lines say only that it failed.
reason() {
  said=$(journalctl -u "$unit" _TRANSPORT=stdout -n 400 -o cat -q 2>/dev/null || true)
  fatal=$(echo "$said" | sed -n 's/^FATA: [0-9/]* [0-9:.]* //p; s/^panic: //p' | tail -n 1)
  case "$fatal" in
    *dummy*"not supported"*) echo "its kernel cannot make dummy interfaces, by which Weave sets its bridge up (module dummy)" ;;
    *"address already in use"*) echo "something else is at its port: $fatal" ;;
    *"cannot assign requested address"*) echo "this host does not have the address that it is to listen on: $fatal" ;;
    "") echo "$said" | grep . | tail -n 1 || echo "it does not answer at $control, and says nothing" ;;
    *) echo "$fatal" ;;
  esac
}

start() {
  timeout 150 systemctl restart "$unit" 2>"$LOG" || die "Weave's router does not start: $(reason)"
}

# The same label does not tell: the secret that the password follows from may be another one. A router that was started by an earlier version
# of this script says nothing of it.
has_other_password() {
  running=$(sed -n 3p "$runtime/started" 2>/dev/null || true)
  [ -n "$running" ] && [ "$running" != "$(sha256sum <"$folder/password")" ]
}

is_stale() { [ "$(cat "$runtime/started" 2>/dev/null)" != "$(sh "$folder/router" started)" ]; }

# PATH WORD…: the router's control interface.
tell() {
  path=$1
  shift
  curl -sf --max-time 10 -o "$LOG" "$@" "$control$path" || die "Weave's router does not take its peers: $(tail -n 1 "$LOG")"
}

connect() {
  set -- -d replace=true
  while read -r peer; do
    if [ -n "$peer" ]; then set -- "$@" -d "peer=$peer"; fi
  done <"$folder/peers"
  tell /connect "$@"
}

up() {
  refuse_special
  need curl curl
  need iptables iptables
  mkdir -p "$folder" "$state"
  put "$folder/router" 0700 "$ROUTER"
  put "$folder/settings" 0600 "$(settings_text)"
  put "$folder/peers" 0600 "$PEERS"
  put "$folder/password" 0600 "$PASSWORD"
  put "$folder/label" 0600 "$LABEL"
  put "$unit_file" 0644 "$(unit_text)"
  if [ "$(systemctl show -p NeedDaemonReload --value "$unit")" = yes ] || "$changed"; then systemctl daemon-reload; fi
  if ! systemctl is-enabled --quiet "$unit" 2>/dev/null; then systemctl enable "$unit" 2>"$LOG" || die "$(tail -n 1 "$LOG")"; fi
  if runs; then
    connect
  else
    changed=true
    say "starting Weave's router"
    start
  fi
  plugin
  if is_stale; then stale=true; else stale=false; fi
  if has_other_password; then other=true; else other=false; fi
  printf '{"changed":%s,"stale":%s,"other":%s,"name":"%s"}\n' "$changed" "$stale" "$other" "$(cat /sys/class/net/weave/address)"
}

restart() {
  say "restarting Weave's router"
  start
  echo '{}'
}

connections() { curl -sf --max-time 5 "$control/status/connections" || true; }

check() {
  until=$(($(date +%s) + WAIT))
  rounds=0
  refused=""
  while :; do
    list=$(connections)
    # Of several tries each ends otherwise, depending on which side was first to hang up.
    refused=$(printf '%s\n%s\n' "$refused" "$(echo "$list" | grep -E 'decrypt|password' | sed 's/,* retry: .*//')" | sort -u)
    missing=""
    for peer in $OTHERS; do
      echo "$list" | grep -q " established .* $peer(" || missing="$missing $peer"
    done
    if [ -z "$missing" ] || [ "$(date +%s)" -ge "$until" ]; then break; fi
    rounds=$((rounds + 1))
    # After a failure the router waits longer each time.
    if [ $((rounds % 8)) -eq 0 ]; then (connect) 2>/dev/null || true; fi
    sleep 0.25
  done
  printf '{"connections":[%s]}\n' "$(printf '%s\n%s\n' "$list" "$refused" | tr -d '"\134' | sed '/^ *$/d; s/  */ /g; s/.*/"&"/' | paste -s -d , -)"
}

forget() {
  [ -e "$folder/peers" ] || { echo '{"changed":false}'; return 0; }
  set --
  while read -r peer; do
    if [ -n "$peer" ]; then set -- "$@" -d "peer=$peer"; fi
  done <<END
$PEERS
END
  # A router that is down reads them when it starts.
  if runs; then tell /forget "$@"; fi
  put "$folder/peers" 0600 "$(echo "$PEERS" | grep -vxF -f - "$folder/peers" || true)"
  printf '{"changed":%s}\n' "$changed"
}

# The router leaves its rules behind. Comments in them have quotes, which xargs understands.
remove_rules() {
  command -v iptables >/dev/null 2>&1 || return 0
  for table in filter nat mangle; do
    rules=$(iptables -w 10 -t "$table" -S 2>/dev/null || true)
    echo "$rules" | grep -E 'WEAVE|-[io] weave |Weave Net' | sed -n 's/^-A /-D /p' | while read -r rule; do
      echo "$rule" | xargs iptables -w 10 -t "$table" 2>/dev/null || true
    done
    echo "$rules" | sed -n 's/^-N \(WEAVE[A-Z-]*\)$/\1/p' | while read -r chain; do
      iptables -w 10 -t "$table" -F "$chain" 2>/dev/null || true
      iptables -w 10 -t "$table" -X "$chain" 2>/dev/null || true
    done
  done
}

remove_links() {
  for link in /sys/class/net/*; do
    link=${link##*/}
    case "$link" in weave | vethwe-* | vethwl*) ip link delete "$link" 2>/dev/null || true ;; esac
  done
  # An Open vSwitch datapath is no link that ip can delete.
  if [ -e /sys/class/net/datapath ]; then
    { command -v ovs-dpctl >/dev/null 2>&1 && ovs-dpctl del-dp datapath 2>/dev/null; } ||
      say "the interface \"datapath\" of Weave's fast datapath, which nothing uses any more, goes with the next reboot"
  fi
}

down() {
  if [ ! -e "$folder" ] && [ ! -e "$unit_file" ]; then
    echo '{"changed":false}'
    return 0
  fi
  # Before the router: Docker asks it whenever a container's network goes.
  remove_plugin
  systemctl disable --now "$unit" >/dev/null 2>&1 || true
  remove_links
  remove_rules
  rm -f "$unit_file"
  systemctl daemon-reload
  rm -rf "$state"
  rmdir "${state%/*}" 2>/dev/null || true
  # Last: as long as it is there, a run that was cut off is seen to be unfinished.
  rm -rf "$folder"
  rmdir "${folder%/*}" 2>/dev/null || true
  echo '{"changed":true}'
}

case "$1" in
  look) look ;;
  up) lock; up ;;
  restart) lock; restart ;;
  check) check ;;
  forget) lock; forget ;;
  down) lock; down ;;
  *) die "unknown verb $1" ;;
esac
