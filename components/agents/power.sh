#!/bin/sh
# Gets a host ready to have its power cut, as providers do to change a machine. Both verbs may be run again at any time.
#   quiet  whatever writes its own data is stopped, and all that is written is on the disk; it stays enabled, and so starts with the machine
#   wake   starts it again where the power was not cut after all
set -eu

etcd=pulumi-swarm-flannel-etcd.service

# UNIT
is_there() { systemctl cat "$1" >/dev/null 2>&1; }

quiet() {
  # The socket first: it would start the engine again for the next caller. etcd last: the engine's network driver reads it.
  for unit in docker.socket docker.service "$etcd"; do
    if is_there "$unit"; then
      systemctl stop "$unit" 2>"$LOG" || die "systemctl stop $unit failed: $(tail -n 1 "$LOG")"
    fi
  done
  sync
  say "its engine is stopped, and all is written"
}

wake() {
  for unit in "$etcd" docker.socket docker.service; do
    if is_there "$unit"; then systemctl start --no-block "$unit" 2>"$LOG" || die "systemctl start $unit failed: $(tail -n 1 "$LOG")"; fi
  done
}

case "$1" in
quiet) quiet ;;
wake) wake ;;
*) die "unknown verb $1" ;;
esac
echo '{}'
