#!/bin/sh
# The certificates of one host for etcd.
#   request   CERTIFICATES: a new private key for each certificate. Result: the public keys
#   certify   CERTIFICATES, CLIENTS_CA, PEERS_CA, HOST_PEM, ADMIN_PEM, SERVER_PEM, PEER_PEM: what was made of them
# shellcheck disable=SC2154  # common.sh goes before, with the names of files
set -eu

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

case "$1" in
  request) lock; request ;;
  certify) lock; certify ;;
  *) die "unknown verb $1" ;;
esac
