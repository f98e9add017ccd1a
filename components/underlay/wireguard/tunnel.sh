#!/bin/sh
# This host's end of the encrypted tunnel. systemd runs it from the folder in which the keys and settings lie.
#   run       makes the interface, from the kernel's WireGuard or from wireguard-go, and stays as long as it does
#   as-asked  whether the interface that runs is what the files say: exit code 0 or 1
#   sync      brings the interface that runs to what the files say; peers that stay lose no packet
#   peer      NAME, SECTION (in the environment): what the configuration says of one host becomes this, and the rest stays as it is.
#             Result: whether it says anything of that host, and a checksum of program and configuration
#   digest    prints that checksum
#   poke      makes sessions with all peers that can be called, where there are none
#   remove    takes the interface away
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

# wg takes a socket away that nobody listens on, as it takes a dead one's (wireguard-tools, ipc-uapi-unix.h). Between bind and listen of
# wireguard-go, which are apart on a busy machine, that ends it: "Failed to listen on uapi socket". 00010000 is a socket that listens.
listens() { grep -q " 00010000 .*/wireguard/$INTERFACE\.sock\$" /proc/net/unix; }

wait_for_daemon() {
  tries=0
  until listens && wg show "$INTERFACE" >/dev/null 2>&1; do
    kill -0 "$1" 2>/dev/null || die "wireguard-go does not start$([ -c /dev/net/tun ] || echo ": there is no /dev/net/tun")"
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || die "wireguard-go does not answer"
    sleep 0.05
  done
}

# Turning keep-alive on sends a packet, and a packet makes a session.
poke_peer() {
  interval=$(wg show "$INTERFACE" persistent-keepalive | awk -v key="$1" '$1 == key { print $2 }')
  if [ "$interval" = off ]; then first=25; else first=off; fi
  wg set "$INTERFACE" peer "$1" persistent-keepalive "$first"
  wg set "$INTERFACE" peer "$1" persistent-keepalive "${interval:-off}"
}

poke() {
  for peer in $(wg show "$INTERFACE" peers); do poke_peer "$peer"; done
}

# A peer behind address translation has no address but the one that was learned from it. When that is forgotten, the
# peer takes 15 s or more to notice that this end knows nothing of its session, and only it could call.
remember() {
  now=$(wg show "$INTERFACE" endpoints)
  # A full disk keeps the last ones.
  if ! printf '%s\n' "$now" | cat 2>/dev/null >endpoints.new; then
    rm -f endpoints.new
  elif ! cmp -s endpoints.new endpoints; then
    mv endpoints.new endpoints
  fi
}

recall() {
  [ -s endpoints ] || return 0
  wg show "$INTERFACE" endpoints | awk '$2 == "(none)" { print $1 }' | while read -r key; do
    endpoint=$(awk -v key="$key" '$1 == key && $2 != "(none)" { print $2 }' endpoints)
    if [ -n "$endpoint" ]; then
      wg set "$INTERFACE" peer "$key" endpoint "$endpoint"
      poke_peer "$key"
    fi
  done
}

# Ends when the interface is gone.
remember_from_now_on() {
  while sleep 10; do remember; done
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
  recall
  # The others still hold sessions that this end has lost.
  poke
  if [ -n "$daemon" ]; then
    remember_from_now_on &
    memory=$!
    wait "$daemon" || true
    kill "$memory" 2>/dev/null || true
    die "wireguard-go has ended"
  else
    remember_from_now_on
  fi
}

addresses() { ip -o -4 address show dev "$INTERFACE" | awk '{ print $4 }'; }

# WireGuard lists a peer's networks in an order of its own.
in_order='
  function in_order(networks, count, each, place) {
    count = split(networks, each, /[ ,]+/)
    for (place = 2; place <= count; place++)
      for (; place > 1 && each[place - 1] > each[place]; place--) { networks = each[place]; each[place] = each[place - 1]; each[place - 1] = networks }
    networks = each[1]
    for (place = 2; place <= count; place++) networks = networks "," each[place]
    return networks
  }'

# A line for each peer: its key, its address and networks, and its keep-alive.
wanted_peers() {
  awk -F ' = ' "$in_order"'
    function flush() { if (key != "") print key, ip, keepalive }
    /^\[Peer\]/ { flush(); key = ""; ip = "(none)"; keepalive = "off" }
    /^PublicKey/ { key = $2 }
    /^AllowedIPs/ { ip = in_order($2) }
    /^PersistentKeepalive/ && $2 != "0" { keepalive = $2 }
    END { flush() }' peers.conf | sort
}

live_peers() {
  { wg show "$INTERFACE" allowed-ips; wg show "$INTERFACE" persistent-keepalive; } |
    awk "$in_order"'$1 in ip { print $1, ip[$1], $2; next } { key = $1; $1 = ""; ip[key] = in_order(substr($0, 2)) }' | sort
}

has_its_key() { [ "$(wg show "$INTERFACE" public-key)" = "$(wg pubkey <private.key)" ]; }

has_its_port() { [ "$(wg show "$INTERFACE" listen-port)" = "$PORT" ]; }

as_asked() {
  has_its_key && has_its_port && [ "$(addresses)" = "$ADDRESS" ] &&
    ip -o link show up dev "$INTERFACE" | grep -q " mtu $MTU " &&
    [ "$(live_peers)" = "$(wanted_peers)" ]
}

# A key that gets another's address takes it over, so that at no time nobody has it.
sync_peers() {
  wanted_peers >peers.wanted
  live_peers >peers.live
  grep -vxF -f peers.live peers.wanted | while read -r key ip keepalive; do
    [ "$ip" != "(none)" ] || ip=""
    wg set "$INTERFACE" peer "$key" persistent-keepalive "$keepalive" allowed-ips "$ip"
  done
  awk 'NR == FNR { wanted[$1]; next } !($1 in wanted) { print $1 }' peers.wanted peers.live | while read -r key; do
    wg set "$INTERFACE" peer "$key" remove
  done
  rm peers.wanted peers.live
}

# Back to where peers are said to be, when they were last heard from elsewhere.
sync_endpoints() {
  wg show "$INTERFACE" endpoints >endpoints.live
  awk -F ' = ' '/^PublicKey/ { key = $2 } /^Endpoint/ { print key "\t" $2 }' peers.conf | grep -vxF -f endpoints.live |
    while read -r key endpoint; do wg set "$INTERFACE" peer "$key" endpoint "$endpoint"; done
  rm endpoints.live
}

# Nothing that is right already is set again: with every port, even the same, wireguard-go closes its socket and opens
# another one, and with all of a peer's addresses, even the same, there is a moment without any. Packets get lost there.
sync() {
  has_its_key || wg set "$INTERFACE" private-key private.key
  has_its_port || wg set "$INTERFACE" listen-port "$PORT"
  sync_peers
  sync_endpoints
  # The old address goes first: Linux takes away the others of a network together with its first one.
  for present in $(addresses); do
    [ "$present" = "$ADDRESS" ] || ip address delete "$present" dev "$INTERFACE"
  done
  ip address replace "$ADDRESS" dev "$INTERFACE"
  ip link set "$INTERFACE" mtu "$MTU" up
  recall
}

# The program and the peers that it serves: whoever gives them knows by this what is here already.
digest() { cat tunnel peers.conf | sha256sum | cut -d ' ' -f 1; }

# A blank line ends a section; a host has two of them while it is about to change its key. ENVIRON, since -v would read backslashes.
with_section() {
  awk '
    function give(text) { printf "%s%s\n", (given++ ? "\n" : ""), text }
    BEGIN { RS = ""; FS = "\n"; own = "# " ENVIRON["NAME"] }
    $1 != own && $1 != own ", its next key" { give($0); next }
    !found++ { give(ENVIRON["SECTION"]) }
    END { exit !found }' peers.conf
}

# Cut off between the two, the mark says that the tunnel is to be looked after.
change_peer() {
  umask 077
  exec 9>/run/lock/pulumi-swarm-wireguard.lock
  flock -w 120 9 || die "another run works on the tunnel of this host and does not end"
  if ! with_section >peers.conf.new; then
    rm -f peers.conf.new
    echo '{"found":false}'
    return 0
  fi
  marked=false
  if [ -e pending ]; then marked=true; fi
  : >pending
  mv peers.conf.new peers.conf
  sync
  # The peer has changed its key: after a power cut, the old one would be of no use. Packets wait for nothing here.
  command sync peers.conf . 2>/dev/null || true
  "$marked" || rm pending
  printf '{"found":true,"digest":"%s"}\n' "$(digest)"
}

remove() { ip link delete "$INTERFACE" 2>/dev/null || true; }

case "$1" in
  run) settings; run ;;
  as-asked) settings; as_asked ;;
  sync) settings; sync ;;
  peer) settings; change_peer ;;
  digest) cd "$(dirname "$0")"; digest ;;
  poke) settings; poke ;;
  remove) settings; remove ;;
  *) die "unknown verb $1" ;;
esac
