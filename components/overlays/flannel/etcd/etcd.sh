#!/bin/sh
# etcd on one host: its certificates, its member, and what is done to the cluster through it. Every verb may be run again at any
# time, also after a run that was cut off. FOLDER is where the programs are; where it is empty, where they were last time.
#   look      NAME, ADDRESS (both empty on a host that is to be no member), FOLDER: what is there. Changes nothing
#   request   CERTIFICATES: a new private key for each certificate. Result: the public keys
#   certify   CERTIFICATES, CLIENTS_CA, PEERS_CA, HOST_PEM, ADMIN_PEM, SERVER_PEM, PEER_PEM: what was made of them
#   form      NAME, ADDRESS, FOLDER, INITIAL, TOKEN: starts as one of the first members
#   join      NAME, ADDRESS, FOLDER, INITIAL: starts empty as a member that the others know already
#   start     NAME, ADDRESS, FOLDER: starts, or starts anew with these settings
#   wait      WAIT (seconds): until the member has its place. Result: its id
#   whole     ROSTER: the names of all members, remembered for the day on which no majority is left
#   recover   NAME, ADDRESS, FOLDER: becomes the only member, with all data. The others must be lost for good
#   leave     the member stops, and its data go
#   members, add, promote, remove, readdress, snapshot: done by this member to the cluster
#   read      what flannel and its users are told. Result: as etcdctl has it
#   write     ENABLE_AUTH, DROP_USERS, ADD_USERS (name and own key), DROP_KEYS, PUT (key and value): makes it so; a line for each
#   down      everything of etcd away
# Private keys never leave the host: they are handed on as files, never as arguments, and are never printed.
set -eu
umask 077


base=/etc/pulumi-swarm/flannel
folder=$base/etcd
state=/var/lib/pulumi-swarm/flannel
own=$state/etcd
unit=pulumi-swarm-flannel-etcd.service
unit_file=/etc/systemd/system/$unit
user=pulumi-swarm-etcd
forced=/run/systemd/system/$unit.d/force.conf
prefix=/coreos.com/network

# What a killed run started may still be at work.
lock() {
  # With a dot: a cluster may be called flannel, and its own lock then has the other name.
  exec 9>/run/lock/pulumi-swarm.flannel.lock
  flock -w 120 9 || die "another run works on flannel on this host and does not end"
}

# A text as JSON has it.
text() { awk '{ gsub(/[\\"]/, "\\\\&"); gsub(/\t/, "\\t"); printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }'; }
file_text() { if [ -e "$1" ]; then text <"$1"; fi; }

# FILE MODE TEXT [USER]
put() { has_text "$1" "$3" || write_file "$@"; }

programs() {
  if [ -n "${FOLDER-}" ]; then echo "$FOLDER"; else cat "$folder/programs" 2>/dev/null || true; fi
}

# As root of etcd, towards its own member alone. Some calls that are refused go on for ever, whatever etcdctl is told.
ctl() {
  ETCDCTL_API=3 ETCDCTL_ENDPOINTS=https://127.0.0.1:2379 ETCDCTL_CACERT=$base/ca.pem ETCDCTL_CERT=$base/admin.pem \
    ETCDCTL_KEY=$base/admin.pem timeout 60 "$(programs)/etcdctl" --dial-timeout=3s --command-timeout=5s "$@"
}

# What etcdctl says of a failure, without its log lines.
ctl_or_die() { ctl "$@" 2>"$LOG" || die "etcdctl $1 ${2-}: $(said)"; }
said() { grep -v '^{' "$LOG" | tail -n 1 | sed 's/^Error: //' | grep . || echo "no message"; }

last_words() { journalctl -u "$unit" _SYSTEMD_INVOCATION_ID="$(systemctl show -p InvocationID --value "$unit")" -n "$1" -o cat -q 2>/dev/null || true; }

# What it said last itself.
reason() {
  last_words 40 |
    sed -n 's/.*"level":"\(error\|fatal\|warn\)".*"msg":"\([^"]*\)".*"error":"\([^"]*\)".*/\2: \3/p' | tail -n 1 | grep . ||
    echo "journalctl -u $unit says why"
}

# ---- certificates

pem_of() {
  case "$1" in
    server | peer) echo "$own/tls/$1.pem" ;;
    *) echo "$base/$1.pem" ;;
  esac
}

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

request() {
  need openssl openssl
  mkdir -p "$folder/next"
  separator=""
  printf '{"keys":{'
  for name in $CERTIFICATES; do
    openssl genpkey -algorithm ed25519 -out "$folder/next/$name.key" 2>"$LOG" || die "openssl cannot make a key: $(tail -n 1 "$LOG")"
    printf '%s"%s":"%s"' "$separator" "$name" "$(openssl pkey -in "$folder/next/$name.key" -pubout | text)"
    separator=,
  done
  printf '}}\n'
}

# A user of its own: what runs as it can read neither Docker's data nor a client's key.
make_user() {
  id "$user" >/dev/null 2>&1 || useradd --system --no-create-home --home-dir "$own" --shell /usr/sbin/nologin "$user" 2>"$LOG" ||
    die "the user $user cannot be made: $(tail -n 1 "$LOG")"
  mkdir -p "$own/tls"
  chmod 0711 /var/lib/pulumi-swarm "$state"
  chown "$user:" "$own" "$own/tls"
}

pem_given() {
  case "$1" in
    host) printf '%s' "$HOST_PEM" ;;
    admin) printf '%s' "$ADMIN_PEM" ;;
    server) printf '%s' "$SERVER_PEM" ;;
    peer) printf '%s' "$PEER_PEM" ;;
  esac
}

# Without its last end of line.
text_of() { printf '%s' "$1"; }

certify() {
  mkdir -p "$folder"
  put "$base/ca.pem" 0600 "$(text_of "$CLIENTS_CA")"
  case " $CERTIFICATES " in *" server "* | *" peer "*) make_user ;; esac
  if [ -d "$own/tls" ]; then
    put "$own/tls/clients-ca.pem" 0600 "$(text_of "$CLIENTS_CA")" "$user"
    put "$own/tls/peers-ca.pem" 0600 "$(text_of "$PEERS_CA")" "$user"
  fi
  for name in $CERTIFICATES; do
    case "$name" in server | peer) owner=$user ;; *) owner=root ;; esac
    # One file for both, so that a key is never with the certificate of another. etcd reads it at each handshake.
    pair=$(cat "$folder/next/$name.key" && pem_given "$name") || die "the key for the certificate $name is not there any more: run again"
    put "$(pem_of "$name")" 0600 "$pair" "$owner"
  done
  rm -rf "$folder/next"
  echo '{"changed":true}'
}

# ---- the member

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

# ---- the cluster, through this member

members() {
  list=$(ctl --command-timeout=3s member list 2>"$LOG") || die "etcd has no majority: $(said)"
  printf '{"members":"%s","alive":"%s"}\n' "$(echo "$list" | text)" "$({ ctl endpoint status --cluster 2>/dev/null || true; } | text)"
}

try_add() { ctl member add "$MEMBER" --learner --peer-urls="$URL" >"$folder/added" 2>"$LOG"; }
# For some seconds after another one joined, etcd takes none.
add_or_wait() { try_add || { grep -Eq "unhealthy cluster|too many learner" "$LOG" && return 1; die "etcd takes no further member: $(said)"; }; }

add() {
  until_true 15 add_or_wait || die "etcd takes no further member: $(said); every member has to answer"
  printf '{"id":"%s","initial":"%s"}\n' "$(sed -n 's/^Member *\([0-9a-f]*\) added.*/\1/p' "$folder/added")" \
    "$(sed -n 's/^ETCD_INITIAL_CLUSTER="\(.*\)"/\1/p' "$folder/added")"
  rm -f "$folder/added"
}

promoted() { ctl member promote "$MEMBER" >/dev/null 2>"$LOG" || grep -q "can only promote a learner" "$LOG"; }
promote() {
  until_true 60 promoted || die "the new member of etcd is not in step within 60 s: $(said)"
  echo '{"changed":true}'
}

remove() {
  ctl member remove "$MEMBER" >/dev/null 2>"$LOG" || grep -q "member not found" "$LOG" || die "etcd does not let the member $MEMBER go: $(said)"
  echo '{"changed":true}'
}

readdress() {
  ctl_or_die member update "$MEMBER" --peer-urls="$URL" >/dev/null
  echo '{"changed":true}'
}

snapshot() {
  mkdir -p "$state/snapshots"
  file=$state/snapshots/$(date -u +%Y%m%dT%H%M%SZ).db
  ctl_or_die snapshot save "$file" >/dev/null
  # The file is made readable by its owner alone; the five newest are kept.
  find "$state/snapshots" -name '*.db' | sort | head -n -5 | xargs -r rm -f
  printf '{"file":"%s"}\n' "$file"
}

# ---- what is in it

read_all() {
  keys=$(ctl_or_die get --prefix "$prefix/" -w json)
  if ctl auth status 2>/dev/null | grep -q "Status: true"; then auth=true; else auth=false; fi
  users=$(ctl_or_die user list)
  printf '{"keys":%s,"auth":%s,"users":{' "$keys" "$auth"
  separator=""
  for name in $users; do
    # Root's role is built in: it cannot be shown.
    detail=""
    if [ "$name" != root ]; then detail=$(ctl_or_die user get "$name" --detail); fi
    printf '%s"%s":"%s"' "$separator" "$name" "$(echo "$detail" | text)"
    separator=,
  done
  printf '}}\n'
}

drop_user() {
  ctl user delete "$1" >/dev/null 2>&1 || true
  ctl role delete "$1" >/dev/null 2>&1 || true
}

# Users first: who is not one any more cannot put back what is taken out after.
write() {
  printf '%s\n' "$DROP_USERS" | while read -r name; do if [ -n "$name" ]; then drop_user "$name"; fi; done
  if [ "$ENABLE_AUTH" = true ]; then
    ctl user add root --no-password >/dev/null 2>&1 || true
    ctl_or_die user grant-role root root >/dev/null
    ctl_or_die auth enable >/dev/null
  fi
  # A role of the user's own: it reads everything of flannel, and writes its host's subnet and nothing else.
  printf '%s\n' "$ADD_USERS" | while read -r name key; do
    if [ -z "$name" ]; then continue; fi
    drop_user "$name"
    ctl_or_die role add "$name" >/dev/null
    ctl_or_die role grant-permission "$name" read --prefix=true "$prefix/" >/dev/null
    ctl_or_die role grant-permission "$name" readwrite "$key" >/dev/null
    ctl_or_die user add "$name" --no-password >/dev/null
    ctl_or_die user grant-role "$name" "$name" >/dev/null
  done
  printf '%s\n' "$DROP_KEYS" | while read -r key; do if [ -n "$key" ]; then ctl_or_die del "$key" >/dev/null; fi; done
  # The value by standard input: what stands in an argument can be taken apart.
  printf '%s\n' "$PUT" | while read -r key value; do
    if [ -n "$key" ]; then printf '%s' "$value" | ctl_or_die put "$key" >/dev/null; fi
  done
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
  request) lock; request ;;
  certify) lock; certify ;;
  form) lock; form ;;
  join) lock; start_empty existing ;;
  start) lock; start ;;
  wait) wait_for_place ;;
  whole) lock; whole ;;
  recover) lock; recover ;;
  leave) lock; leave ;;
  members) members ;;
  add) lock; add ;;
  promote) promote ;;
  remove) remove ;;
  readdress) readdress ;;
  snapshot) lock; snapshot ;;
  read) read_all ;;
  write) lock; write ;;
  down) lock; down ;;
  *) die "unknown verb $1" ;;
esac
