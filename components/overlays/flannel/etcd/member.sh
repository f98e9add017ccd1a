#!/bin/sh
# The member of etcd on one host.
#   look      NAME, ADDRESS (both empty on a host that is to be no member), FOLDER: what is there. Changes nothing
#   form      NAME, ADDRESS, FOLDER, INITIAL, TOKEN: starts as one of the first members
#   join      NAME, ADDRESS, FOLDER, INITIAL: starts empty as a member that the others know already
#   start     NAME, ADDRESS, FOLDER: starts, or starts anew with these settings
#   wait      WAIT (seconds): until the member has its place. Result: its id
#   whole     ROSTER: the names of all members, remembered for the day on which no majority is left
#   recover   NAME, ADDRESS, FOLDER: becomes the only member, with all data. The others must be lost for good
#   leave     the member stops, and its data go
#   down      everything of etcd away
# shellcheck disable=SC2154  # common.sh goes before, with the names of files
set -eu

unit_file=/etc/systemd/system/$unit
forced=/run/systemd/system/$unit.d/force.conf

certificate() { sed -n '/BEGIN CERTIFICATE/,/END CERTIFICATE/p' "$1" 2>/dev/null; }

certificates() {
  separator=""
  for name in host admin server peer; do
    file=$(pem_of "$name")
    if [ ! -s "$file" ]; then continue; fi
    printf '%s"%s":"%s"' "$separator" "$name" "$(certificate "$file" | text)"
    separator=,
  done
}

settings_text() {
  cat <<END
ETCD_NAME=$NAME
ETCD_DATA_DIR=$own/data
ETCD_LISTEN_PEER_URLS=https://$ADDRESS:2380
ETCD_INITIAL_ADVERTISE_PEER_URLS=https://$ADDRESS:2380
ETCD_LISTEN_CLIENT_URLS=https://$ADDRESS:2379,https://127.0.0.1:2379
ETCD_ADVERTISE_CLIENT_URLS=https://$ADDRESS:2379
ETCD_CERT_FILE=$own/tls/server.pem
ETCD_KEY_FILE=$own/tls/server.pem
ETCD_TRUSTED_CA_FILE=$own/tls/clients-ca.pem
ETCD_CLIENT_CERT_AUTH=true
ETCD_PEER_CERT_FILE=$own/tls/peer.pem
ETCD_PEER_KEY_FILE=$own/tls/peer.pem
ETCD_PEER_TRUSTED_CA_FILE=$own/tls/peers-ca.pem
ETCD_PEER_CLIENT_CERT_AUTH=true
ETCD_TLS_MIN_VERSION=TLS1.3
ETCD_ENABLE_GRPC_GATEWAY=false
ETCD_AUTO_COMPACTION_MODE=periodic
ETCD_AUTO_COMPACTION_RETENTION=1h
ETCD_LOG_LEVEL=warn
END
}

unit_text() {
  cat <<END
[Unit]
Description=etcd, which holds the subnets of the hosts for flannel
After=network-online.target pulumi-swarm-wireguard.service
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
User=$user
EnvironmentFile=$folder/settings
EnvironmentFile=-$folder/initial
ExecStart=$(programs)/etcd
Restart=always
RestartSec=2
# Without a majority it is not ready, and a restart would not make it so.
TimeoutStartSec=infinity
LimitNOFILE=65536
OOMScoreAdjust=-500
CapabilityBoundingSet=
NoNewPrivileges=yes

[Install]
WantedBy=multi-user.target
END
}

current() {
  [ "$(settings_text)" = "$(cat "$folder/settings" 2>/dev/null)" ] && [ "$(unit_text)" = "$(cat "$unit_file" 2>/dev/null)" ] &&
    [ ! -e "$folder/pending" ]
}

# What a member has left that the others have removed is of no use any more, and etcd does not start with it.
is_removed() { ! running && last_words 60 | grep -q "permanently removed"; }

has_data() { [ -d "$own/data/member" ] && ! is_removed; }

file_text() { if [ -e "$1" ]; then text <"$1"; fi; }

status() { ctl endpoint status 2>/dev/null || true; }

# Only of those that are there: a process that is starting is none yet.
running() { systemctl is-active --quiet "$unit" || [ "$(systemctl show -p SubState --value "$unit" 2>/dev/null)" = start ]; }

look() {
  settle
  data=false
  if has_data; then data=true; fi
  runs=false
  line=""
  if running; then
    runs=true
    line=$(status)
  fi
  asked=true
  if [ -n "$NAME" ]; then current || asked=false; fi
  formed=false
  if [ -e "$folder/formed" ]; then formed=true; fi
  there=false
  if [ -e "$folder" ] || [ -e "$own" ]; then there=true; fi
  printf '{"there":%s,"data":%s,"running":%s,"status":"%s","id":"%s","formed":%s,"roster":"%s","current":%s,"authority":"%s","certificates":{%s}}\n' \
    "$there" "$data" "$runs" "$(echo "$line" | text)" "$(cat "$folder/id" 2>/dev/null || true)" "$formed" \
    "$(cat "$folder/roster" 2>/dev/null || true)" "$asked" "$(file_text "$base/ca.pem")" "$(certificates)"
}

# They go into a file that systemd reads.
refuse_special() {
  for setting in "$NAME" "$ADDRESS"; do
    case "$setting" in *[!0-9A-Za-z._-]* | "") die "\"$setting\" is not a setting of etcd" ;; esac
  done
}

configure() {
  refuse_special
  if [ ! -s "$own/tls/server.pem" ] || [ ! -s "$own/tls/peer.pem" ]; then die "this host has no certificates for etcd yet"; fi
  mkdir -p "$folder" "$own/data"
  chown "$user:" "$own/data"
  make_mark "$folder/pending"
  put "$folder/programs" 0600 "$FOLDER"
  put "$folder/settings" 0600 "$(settings_text)"
  put "$unit_file" 0644 "$(unit_text)"
  systemctl daemon-reload
  systemctl enable "$unit" 2>"$LOG" || die "$(tail -n 1 "$LOG")"
}

# It is ready only when it has its place among the members: that is waited for elsewhere, with a limit.
start_anew() {
  systemctl stop "$unit" 2>/dev/null || true
  systemctl reset-failed "$unit" 2>/dev/null || true
  systemctl start --no-block "$unit" 2>"$LOG" || die "etcd does not start: $(tail -n 1 "$LOG")"
  rm -f "$folder/pending"
}

wipe() {
  systemctl stop "$unit" 2>/dev/null || true
  # In this order: a member whose data are only half gone must not be taken for one.
  rm -f "$folder/id" "$folder/roster"
  rm -rf "$own/data"
}

initial_text() {
  printf 'ETCD_INITIAL_CLUSTER=%s\nETCD_INITIAL_CLUSTER_STATE=%s\n' "$INITIAL" "$1"
  if [ -n "${TOKEN-}" ]; then printf 'ETCD_INITIAL_CLUSTER_TOKEN=%s\n' "$TOKEN"; fi
}

# new, or existing
start_empty() {
  wipe
  configure
  write_file "$folder/initial" 0600 "$(initial_text "$1")"
  # name=url, with commas between them.
  put "$folder/roster" 0600 "$(echo "$INITIAL" | tr , '\n' | sed 's/=.*//' | sort | paste -s -d ' ' -)"
  start_anew
  echo '{"changed":true}'
}

form() {
  if [ -e "$folder/formed" ] && has_data; then die "there are data of an etcd here that stood once: they are not overwritten"; fi
  start_empty new
}

start() {
  configure
  start_anew
  echo '{"changed":true}'
}

# Address, id, version, size, leader, learner, term, index, applied, errors.
member_id() { echo "$1" | awk -F ', ' '{ print $2 }'; }

has_place() {
  line=$(status)
  [ -n "$line" ] && ! echo "$line" | grep -q "no leader"
}

wait_for_place() {
  until_true "$WAIT" has_place || die "etcd has not come up within $WAIT s: $(reason)"
  write_file "$folder/id" 0600 "$(member_id "$line")"
  make_mark "$folder/formed"
  printf '{"id":"%s","learner":%s}\n' "$(cat "$folder/id")" "$(echo "$line" | awk -F ', ' '{ print $6 }')"
}

whole() {
  mkdir -p "$folder"
  put "$folder/roster" 0600 "$ROSTER"
  echo '{}'
}

# The option holds for one start: at every further one it would throw out the members that have joined since.
recover() {
  has_data || die "there are no data of etcd here"
  say "etcd goes on from this host's data alone"
  configure
  ( umask 022; mkdir -p "${forced%/*}" )
  printf '[Service]\nEnvironment=ETCD_FORCE_NEW_CLUSTER=true\n' >"$forced"
  systemctl daemon-reload
  start_anew
  until_true 30 has_place || { settle; die "etcd does not come up from this host's data: $(reason)"; }
  settle
  echo '{"changed":true}'
}

# After a recovery, also one that was cut off.
settle() {
  if [ ! -e "$forced" ]; then return 0; fi
  rm -f "$forced"
  systemctl daemon-reload
  if running; then start_anew; fi
}

leave() {
  if [ -e "$unit_file" ]; then say "etcd leaves this host"; fi
  systemctl disable --now "$unit" >/dev/null 2>&1 || true
  rm -f "$unit_file"
  systemctl daemon-reload
  wipe
  rm -rf "$own"
  rm -f "$folder/settings" "$folder/initial" "$folder/pending" "$base/admin.pem"
  if id "$user" >/dev/null 2>&1; then userdel "$user" 2>/dev/null || true; fi
  echo '{"changed":true}'
}

down() {
  changed=false
  if [ -e "$folder" ] || [ -e "$unit_file" ] || [ -e "$own" ]; then changed=true; fi
  systemctl disable --now "$unit" >/dev/null 2>&1 || true
  rm -f "$unit_file"
  if "$changed"; then systemctl daemon-reload; fi
  rm -rf "$own" "$state/snapshots" "$folder"
  rm -f "$base/ca.pem" "$base/admin.pem" "$base/host.pem"
  if id "$user" >/dev/null 2>&1; then userdel "$user" 2>/dev/null || true; fi
  printf '{"changed":%s}\n' "$changed"
}

case "$1" in
  look) lock; look ;;
  form) lock; form ;;
  join) lock; start_empty existing ;;
  start) lock; start ;;
  wait) wait_for_place ;;
  whole) lock; whole ;;
  recover) lock; recover ;;
  leave) lock; leave ;;
  down) lock; down ;;
  *) die "unknown verb $1" ;;
esac
