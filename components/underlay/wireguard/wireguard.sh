#!/bin/sh
# The encrypted tunnel of one host. Every verb may be run again at any time, also after a run that was cut off.
#   keys    INTERFACE, ROTATION: makes the host's private key once, and a next one when ROTATION is another than the
#           recorded one. Result: the public keys, whether the kernel has WireGuard, and a checksum of what WHOLE brings
#   up      INTERFACE, ADDRESS (with prefix), MTU, PORT; WHOLE is `yes` for PEERS (text of the configuration) and PROGRAM (text of
#           tunnel.sh), and `no` for those that are here already
#   switch  INTERFACE: the next private key becomes the one in use, and sessions are made with it at once
#   check   INTERFACE, ADDRESSES, WAIT (seconds): waits for an answer of each address. Result: those that are silent
#   down    INTERFACE: everything away, the keys too
# Private keys stay in $folder: they are handed on as files and by pipes, never as arguments, and are never printed.
set -eu
umask 077

folder=/etc/pulumi-swarm/wireguard
unit=pulumi-swarm-wireguard.service
unit_file=/etc/systemd/system/$unit
docker_file=/etc/systemd/system/docker.service.d/10-pulumi-swarm-wireguard.conf

# What a killed run started may still be at work.
lock() {
  exec 9>/run/lock/pulumi-swarm-wireguard.lock
  flock -w 120 9 || die "another run works on the tunnel of this host and does not end"
}

# Built in, loaded or loadable: only trying tells. The namespace takes the interface away again.
kernel_has_wireguard() { unshare -n ip link add swarm-probe type wireguard >/dev/null 2>&1; }

# FILE MODE TEXT: marks that the tunnel is to be looked after, unless the file has this text already.
put() {
  if has_text "$1" "$3"; then return 0; fi
  make_mark "$folder/pending"
  write_file "$1" "$2" "$3"
}

# A half-written key must never be taken for one, also after a power cut.
make_key() {
  key=$(wg genkey) || die "wg makes no key"
  write_file "$1" 0600 "$key"
}

public_key() { wg pubkey <"$1"; }

# A switch renames the key, then its record. Cut off between the two, the record lags behind.
settle_keys() {
  if [ -e rotation.next ] && [ ! -e private.key.next ]; then mv rotation.next rotation; fi
}

# Of the program and its peers, as tunnel.sh has it; none where one of them is missing.
digest() { if [ -e tunnel ] && [ -e peers.conf ]; then cat tunnel peers.conf | sha256sum | cut -d ' ' -f 1; fi; }

keys() {
  need wg wireguard-tools
  kernel=true
  if ! kernel_has_wireguard; then
    kernel=false
    need wireguard-go wireguard-go
  fi
  mkdir -p "$folder"
  cd "$folder"
  settle_keys
  if [ ! -s private.key ]; then
    rm -f rotation
    make_key private.key
  fi
  [ -e rotation ] || write_file rotation 0600 "$ROTATION"
  next=""
  # Taking the option out asks for nothing.
  if [ -z "$ROTATION" ] || [ "$(cat rotation)" = "$ROTATION" ]; then
    # In this order, or it would look like a switch that was cut off.
    rm -f rotation.next
    rm -f private.key.next
  else
    # One that an unfinished rotation made was never in use: it is as good as new.
    [ -s private.key.next ] || make_key private.key.next
    write_file rotation.next 0600 "$ROTATION"
    next=$(printf ',"nextPublicKey":"%s"' "$(public_key private.key.next)")
  fi
  printf '{"publicKey":"%s"%s,"kernel":%s,"digest":"%s"}\n' "$(public_key private.key)" "$next" "$kernel" "$(digest)"
}

unit_text() {
  cat <<END
[Unit]
Description=Encrypted tunnel between the hosts of the swarm
After=network.target
Before=docker.service
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
ExecStart=/bin/sh $folder/tunnel run
ExecReload=/bin/sh $folder/tunnel sync
ExecStopPost=-/bin/sh $folder/tunnel remove
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
END
}

# Wants, not Requires: a tunnel that restarts must not take the containers with it.
docker_text() { printf '[Unit]\nWants=%s\nAfter=%s\n' "$unit" "$unit"; }

# They go into a file that a shell reads.
refuse_special() {
  for setting in "$INTERFACE" "$ADDRESS" "$MTU" "$PORT"; do
    case "$setting" in *[!0-9A-Za-z./-]* | "") die "\"$setting\" is not a setting of a tunnel" ;; esac
  done
}

settings_text() { printf 'INTERFACE=%s\nADDRESS=%s\nMTU=%s\nPORT=%s\n' "$INTERFACE" "$ADDRESS" "$MTU" "$PORT"; }

needs_reload() {
  for loaded in "$unit" docker.service; do
    if [ "$(systemctl show -p NeedDaemonReload --value "$loaded")" = yes ]; then return 0; fi
  done
  return 1
}

# What the program itself said last, and wireguard-go before it, with its name and the time in front; systemd's own lines say only that it
# failed. A start takes a minute at most.
reason() {
  said=$(journalctl -u "$unit" _TRANSPORT=stdout --since=-70s -n 20 -o cat -q 2>/dev/null | grep . || tail -n 1 "$LOG")
  own=$(printf '%s\n' "$said" | sed -n 's|^ERROR: ([^)]*) [0-9/]* [0-9:]* *||p' | tail -n 1)
  printf '%s%s\n' "$(printf '%s\n' "$said" | tail -n 1)" "${own:+: $own}"
}

# The interface with another name is still known to the old settings only.
stop_renamed() {
  if [ -s settings ] && ! grep -qx "INTERFACE=$INTERFACE" settings; then systemctl stop "$unit" 2>/dev/null || true; fi
}

up() {
  refuse_special
  [ -s "$folder/private.key" ] || die "this host has no key for the tunnel yet"
  cd "$folder"
  settle_keys
  stop_renamed
  if [ "$WHOLE" = yes ]; then
    put tunnel 0700 "$PROGRAM"
    put peers.conf 0600 "$(printf %s "$PEERS")"
  fi
  put settings 0600 "$(settings_text)"
  put "$unit_file" 0644 "$(unit_text)"
  ( umask 022; mkdir -p "${docker_file%/*}" )
  put "$docker_file" 0644 "$(docker_text)"
  if needs_reload; then systemctl daemon-reload; fi
  if ! systemctl is-enabled --quiet "$unit" 2>/dev/null; then systemctl enable "$unit" 2>"$LOG" || die "$(tail -n 1 "$LOG")"; fi
  if ! systemctl is-active --quiet "$unit" || ! wg show "$INTERFACE" public-key >/dev/null 2>&1; then
    make_mark pending
    say "starting the tunnel"
    timeout 60 systemctl restart "$unit" 2>"$LOG" || die "the tunnel does not start: $(reason)"
  elif [ -e pending ] || ! sh tunnel as-asked; then
    make_mark pending
    # A new program or unit serves from the next start on: a restart now would cut all tunnels of this host.
    sh tunnel sync 2>"$LOG" || die "the tunnel does not take its new settings: $(tail -n 1 "$LOG")"
  fi
  if [ -e pending ]; then
    rm pending
    echo '{"changed":true}'
  else
    echo '{"changed":false}'
  fi
}

switch_keys() {
  cd "$folder"
  settle_keys
  if [ -s private.key.next ]; then
    mv private.key.next private.key
    mv rotation.next rotation
    # The others forget the old key next.
    keep_names private.key
  fi
  key=$(public_key private.key)
  changed=false
  if [ "$(wg show "$INTERFACE" public-key 2>/dev/null || true)" != "$key" ]; then
    changed=true
    wg set "$INTERFACE" private-key private.key 2>"$LOG" || say "the tunnel is down; it starts with the new key"
    # No packet of a container has to come first.
    sh tunnel poke 2>/dev/null || true
  fi
  printf '{"publicKey":"%s","changed":%s}\n' "$key" "$changed"
}

# Less than the 180 s after which WireGuard gives up a session that was not renewed.
session_is_fresh() {
  key=$(wg show "$INTERFACE" allowed-ips | awk -v ip="$1/32" '{ for (place = 2; place <= NF; place++) if ($place == ip) print $1 }')
  at=$(wg show "$INTERFACE" latest-handshakes | awk -v key="$key" '$1 == key { print $2 }')
  [ "${at:-0}" -gt $(($(date +%s) - 150)) ]
}

# A host without ping, or whose peers may not answer it, is judged by its sessions.
answers() { ping -q -c 1 -W 1 "$1" >/dev/null 2>&1 || session_is_fresh "$1"; }

check() {
  command -v ping >/dev/null 2>&1 || sh "$folder/tunnel" poke
  until=$(($(date +%s) + WAIT))
  silent=$ADDRESSES
  synced=false
  while :; do
    # One word for each address.
    # shellcheck disable=SC2086
    silent=$(still_silent $silent)
    if [ -z "$silent" ] || [ "$(date +%s)" -ge "$until" ]; then break; fi
    # The address that was last learned of a peer may be wrong: back to the one that was given.
    if ! "$synced"; then sh "$folder/tunnel" sync 2>/dev/null || true; fi
    synced=true
    sleep 0.3
  done
  printf '{"silent":[%s]}\n' "$(echo "$silent" | sed '/^$/d; s/.*/"&"/' | sort | paste -s -d , -)"
}

down() {
  changed=false
  if [ -e "$folder" ] || [ -e "$unit_file" ] || [ -e "$docker_file" ]; then changed=true; fi
  systemctl disable --now "$unit" >/dev/null 2>&1 || true
  ip link delete "$INTERFACE" 2>/dev/null || true
  rm -f "$unit_file" "$docker_file"
  rmdir "${docker_file%/*}" 2>/dev/null || true
  if "$changed"; then systemctl daemon-reload; fi
  # The keys last: as long as they are there, a run that was cut off is seen to be unfinished.
  rm -rf "$folder"
  rmdir "${folder%/*}" 2>/dev/null || true
  printf '{"changed":%s}\n' "$changed"
}

case "$1" in
  keys) lock; keys ;;
  up) lock; up ;;
  switch) lock; switch_keys ;;
  check) check ;;
  down) lock; down ;;
  *) die "unknown verb $1" ;;
esac
