#!/bin/sh
# What scripts for etcd on a host have in common; it goes before each of them. FOLDER is where the programs are; where it is empty,
# where they were last time. Every verb may be run again at any time, also after a run that was cut off.
# Private keys never leave the host: they are handed on as files, never as arguments, and are never printed.
set -eu
umask 077

base=/etc/pulumi-swarm/flannel
folder=$base/etcd
state=/var/lib/pulumi-swarm/flannel
own=$state/etcd
unit=pulumi-swarm-flannel-etcd.service
# shellcheck disable=SC2034  # of certificates.sh and member.sh
user=pulumi-swarm-etcd

# What a killed run started may still be at work.
lock() {
  # With a dot: a cluster may be called flannel, and its own lock then has the other name.
  exec 9>/run/lock/pulumi-swarm.flannel.lock
  flock -w 120 9 || die "another run works on flannel on this host and does not end"
}

# A text as JSON has it.
text() { awk '{ gsub(/[\\"]/, "\\\\&"); gsub(/\t/, "\\t"); printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }'; }

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

pem_of() {
  case "$1" in
    server | peer) echo "$own/tls/$1.pem" ;;
    *) echo "$base/$1.pem" ;;
  esac
}
