#!/bin/sh
# This host's end of the encrypted tunnel. systemd runs it from the folder in which the keys and settings lie.
#   run     makes the interface, from the kernel's WireGuard or from wireguard-go, and stays as long as it does
#   sync    brings the interface that runs to what the files say; peers that stay lose no packet
#   remove  takes the interface away
set -eu

die() { echo "$*" >&2; exit 1; }

settings() {
  cd "$(dirname "$0")"
  # shellcheck source=/dev/null
  . ./settings
}

# Through a pipe only: the private key is never an argument, and in no other file.
configuration() {
  printf '[Interface]\nListenPort = %s\nPrivateKey = ' "$PORT"
  cat private.key peers.conf
}

wait_for_daemon() {
  tries=0
  until wg show "$INTERFACE" >/dev/null 2>&1; do
    kill -0 "$1" 2>/dev/null || die "wireguard-go does not start; is there /dev/net/tun?"
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || die "wireguard-go does not answer"
    sleep 0.05
  done
}

run() {
  remove
  daemon=""
  if ! ip link add "$INTERFACE" type wireguard 2>/dev/null; then
    [ -c /dev/net/tun ] || modprobe tun 2>/dev/null || true
    # One that was killed leaves its socket behind.
    rm -f "/run/wireguard/$INTERFACE.sock"
    wireguard-go -f "$INTERFACE" &
    daemon=$!
    wait_for_daemon "$daemon"
  fi
  configuration | wg setconf "$INTERFACE" /dev/stdin
  ip address replace "$ADDRESS" dev "$INTERFACE"
  ip link set "$INTERFACE" mtu "$MTU" up
  systemd-notify --ready
  if [ -n "$daemon" ]; then wait "$daemon"; else exec sleep infinity; fi
}

addresses() { ip -o -4 address show dev "$INTERFACE" | awk '{ print $4 }'; }

sync() {
  configuration | wg syncconf "$INTERFACE" /dev/stdin
  # The old address goes first: Linux takes away the others of a network together with its first one.
  for present in $(addresses); do
    [ "$present" = "$ADDRESS" ] || ip address delete "$present" dev "$INTERFACE"
  done
  ip address replace "$ADDRESS" dev "$INTERFACE"
  ip link set "$INTERFACE" mtu "$MTU" up
}

remove() { ip link delete "$INTERFACE" 2>/dev/null || true; }

case "$1" in
  run) settings; run ;;
  sync) settings; sync ;;
  remove) settings; remove ;;
  *) die "unknown verb $1" ;;
esac
