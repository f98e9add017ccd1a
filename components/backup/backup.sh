#!/bin/sh
# The swarm's state on a manager, as Docker documents it: a copy of ROOT/swarm while the engine is stopped.
#   look     what the manager remembers of clusters, as the ends of their files' names
#   take     ROOT, LIMIT: seconds after which the host itself starts its engine again, whatever became of this run.
#            Result: the state and what the host remembers, as an archive in base64
#   fit      ROOT, ADDRESS: fails where this host cannot be the manager of a backup that has this address in the swarm. Changes nothing
#   put      ROOT, ARCHIVE (base64): puts them back on a host that is in no swarm, and starts the engine
set -eu

name=pulumi-swarm-backup
remembered=/etc/pulumi-swarm
# In memory: what is in it opens the swarm, and must not stay on a disk.
work=/run/$name

say_names() {
  for file in "$remembered"/memory.*; do
    case "$file" in *.new | *'*') ;; *) printf '"%s"\n' "${file##*/memory.}" ;; esac
  done | paste -s -d , -
}

engine_answers() { timeout 20 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# The socket's unit would start the engine for whoever asks it.
stop_engine() { timeout 120 systemctl stop docker.socket docker.service >"$LOG" 2>&1 || timeout 120 systemctl stop docker.service >"$LOG" 2>&1; }

start_engine() {
  systemctl reset-failed docker.service >/dev/null 2>&1 || true
  if systemctl cat docker.socket >/dev/null 2>&1; then systemctl start docker.socket >/dev/null 2>&1 || true; fi
  timeout 120 systemctl start docker.service >"$LOG" 2>&1
}

# The host's own clock: it runs on where this run was cut off or killed. After a power cut the engine starts with the host.
promise_return() {
  systemctl stop "$name.timer" >/dev/null 2>&1 || true
  systemctl reset-failed "$name.service" >/dev/null 2>&1 || true
  systemd-run --quiet --collect --unit "$name" --on-active "$LIMIT" --timer-property AccuracySec=1s \
    sh -c "systemctl start docker.socket; systemctl start docker.service; rm -rf $work" >"$LOG" 2>&1 ||
    die "this host cannot promise to start its engine again (systemd-run: $(tail -n 1 "$LOG")), so it was not stopped"
}

come_back() {
  start_engine || say "Docker does not start again: $(tail -n 1 "$LOG")"
  rm -rf "$work"
  rm -f "$LOG"
}

take() {
  [ -e "$ROOT/swarm/docker-state.json" ] || die "there is no state of a swarm in $ROOT/swarm"
  rm -rf "$work"
  install -d -m 0700 "$work"
  promise_return
  trap come_back EXIT
  trap 'exit 1' HUP INT TERM PIPE
  say "stopping the engine for a moment"
  stop_engine || die "Docker does not stop: $(tail -n 1 "$LOG")"
  install -d -m 0700 "$work/state/remembered"
  # A file of zeros that the next Raft log is to be; the engine makes another one.
  tar -C "$ROOT" --exclude '*.tmp' -cf - swarm | tar -C "$work/state" -xf - || die "the state cannot be copied to $work: is the memory full?"
  start_engine || die "Docker does not start again: $(tail -n 1 "$LOG"). See journalctl -u docker"
  cp -p "$remembered"/memory.* "$work/state/remembered/" 2>/dev/null || true
  tar -C "$work/state" --sparse -czf "$work/state.tgz" swarm remembered
  until_true 60 engine_answers || die "Docker does not answer 60 s after it was started: see journalctl -u docker"
  systemctl stop "$name.timer" >/dev/null 2>&1 || true
  say "the engine runs again"
  printf '{"archive":"%s"}\n' "$(base64 -w 0 "$work/state.tgz")"
}

# Raft keeps the address of its only member, whatever the engine is told (swarmkit, manager/state/raft/raft.go, SetAddr).
fit() {
  [ ! -e "$ROOT/swarm/docker-state.json" ] || die "this host is in a swarm already. Fix: run \"docker swarm leave --force\" there, and run again"
  ip -o addr show | grep -qF " $ADDRESS/" ||
    die "it does not have the address $ADDRESS. The manager of this backup has that address in the swarm, Docker cannot change it, and hosts that join look for the manager there. Fix: name the host that has the address by --to, or give this host the address, and run again. With wireguard(), run \"pulumi up\" first: on a host without Docker it makes the tunnel, and the address with it"
  echo '{}'
}

put() {
  rm -rf "$work"
  install -d -m 0700 "$work"
  trap come_back EXIT
  trap 'exit 1' HUP INT TERM PIPE
  printf '%s' "$ARCHIVE" | base64 -d | tar -C "$work" -xzf - || die "the archive cannot be read"
  stop_engine || die "Docker does not stop: $(tail -n 1 "$LOG")"
  rm -rf "$ROOT/swarm.new" "$ROOT/swarm"
  cp -a "$work/swarm" "$ROOT/swarm.new"
  sync "$ROOT/swarm.new"
  mv "$ROOT/swarm.new" "$ROOT/swarm"
  install -d -m 0700 "$remembered"
  for file in "$work"/remembered/memory.*; do
    if [ -e "$file" ]; then cp -p "$file" "$remembered/"; fi
  done
  start_engine || die "Docker does not start with the state: $(tail -n 1 "$LOG"). See journalctl -u docker"
  until_true 60 engine_answers || die "Docker does not answer 60 s after it was started: see journalctl -u docker"
  echo '{}'
}

case "$1" in
  look) printf '{"clusters":[%s]}\n' "$(say_names)" ;;
  take) take ;;
  fit) fit ;;
  put) put ;;
  *) die "unknown verb $1" ;;
esac
