#!/bin/sh
# Puts Docker on a host, and its settings in place. All verbs may be run again at any time.
# apt.sh, dnf.sh and packages.sh come before it.
#   install    SOURCE (distribution or docker), VERSION (a prefix, may be empty), REPOSITORY (Docker's, of all its systems)
#   configure  CONTENT: the whole new daemon.json; VALIDATE: empty where Docker need not check it before it replaces the old one. Then the engine restarts
#   reload     CONTENT, VALIDATE: the same, where only registries differ: the engine reads them without a restart. Result: whether it did
set -eu

install_engine() {
  settle_engine
  if ! engine_answers; then
    if is_replacing; then
      say "a run was cut off while it replaced Docker: finishing that"
      replace_engine
    elif command -v dockerd >/dev/null 2>&1; then
      say "Docker is installed but not running: starting it"
    elif [ "$SOURCE" = docker ]; then
      say "installing Docker ${VERSION:-} from Docker's repository"
      install_from_docker
    else
      say "installing Docker from the distribution"
      install_from_distribution
    fi
    systemctl enable --now docker >"$LOG" 2>&1 || die "docker.service does not start: $(tail -n 1 "$LOG")"
  fi
  wait_for_engine || die "Docker is installed but does not answer: $(last_words)"
  docker version --format '{"version":"{{.Server.Version}}"}'
}

# Lies there from before the file changes until the engine runs with it, so that a run that was cut off in between is finished.
unapplied=/etc/pulumi-swarm/engine-restart

keep_settings() {
  write_file /etc/docker/daemon.json.before 0644 "$(cat /etc/docker/daemon.json)"
}

put_settings() {
  mkdir -p /etc/docker
  install -d -m 0700 /etc/pulumi-swarm
  write_file /etc/docker/daemon.json.next 0644 "$CONTENT"
  # Engines before 23.0 cannot validate a file, and say that they do not know the word. It takes a processor for 70 ms.
  if [ -n "$VALIDATE" ] && ! dockerd --validate --config-file /etc/docker/daemon.json.next >"$LOG" 2>&1 && ! grep -q 'unknown flag: --validate' "$LOG"; then
    die "Docker refuses these settings: $(tail -n 1 "$LOG")"
  fi
  # After a cut, what is there was never tried: the last settings that worked are those that were kept then.
  if [ ! -e "$unapplied" ]; then
    if [ -f /etc/docker/daemon.json ]; then keep_settings; else rm -f /etc/docker/daemon.json.before; fi
    make_mark "$unapplied"
  fi
  mv /etc/docker/daemon.json.next /etc/docker/daemon.json
}

configure() {
  put_settings
  say "restarting Docker with its new settings"
  # Debian's unit allows three starts a minute, whoever asked for them.
  systemctl reset-failed docker >/dev/null 2>&1 || true
  if ! timeout 120 systemctl restart docker >"$LOG" 2>&1; then
    if [ -f /etc/docker/daemon.json.before ]; then mv /etc/docker/daemon.json.before /etc/docker/daemon.json; else rm -f /etc/docker/daemon.json; fi
    systemctl reset-failed docker >/dev/null 2>&1 || true
    systemctl restart docker >/dev/null 2>&1 || true
    rm -f "$unapplied"
    die "Docker did not start with these settings, so the old ones are back"
  fi
  wait_for_engine || die "Docker restarted with these settings but does not answer: $(last_words)"
  rm -f "$unapplied"
  echo '{}'
}

registries() { timeout 60 docker info --format '{{json .RegistryConfig}}' 2>/dev/null; }
has_others() { [ "$(registries)" != "$before" ]; }

# One that shows nothing new may have refused: the mark stays, and the engine is restarted in its turn.
reload() {
  before=$(registries)
  put_settings
  reloaded=false
  if systemctl reload docker >"$LOG" 2>&1 && until_true 20 has_others; then
    reloaded=true
    rm -f "$unapplied"
  fi
  printf '{"reloaded":%s}\n' "$reloaded"
}

case "$1" in
  install) install_engine ;;
  configure) configure ;;
  reload) reload ;;
  *) die "unknown verb $1" ;;
esac
