#!/bin/sh
# Puts Docker on a host, and its settings in place. Both verbs may be run again at any time.
#   install    SOURCE (distribution or docker), VERSION (a prefix, may be empty)
#   configure  CONTENT: the whole new daemon.json; checked before it replaces the old one, then the engine restarts
set -eu

engine_answers() { timeout 20 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

wait_for_engine() {
  tries=0
  until engine_answers; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || die "Docker is installed but does not answer: $(journalctl -u docker -n 1 -o cat 2>/dev/null || true)"
    sleep 1
  done
}

install_from_distribution() {
  say "installing Docker from the distribution"
  apt update
  if apt-cache show docker-cli >/dev/null 2>&1; then
    apt install --no-install-recommends docker.io docker-cli
  else
    apt install --no-install-recommends docker.io
  fi
}

install_from_docker() {
  say "installing Docker ${VERSION:-} from Docker's repository"
  # shellcheck source=/dev/null
  . /etc/os-release
  apt update
  apt install --no-install-recommends ca-certificates curl
  install -m 0755 -d /etc/apt/keyrings
  timeout 60 curl -fsSL "https://download.docker.com/linux/$ID/gpg" -o /etc/apt/keyrings/docker.asc ||
    die "Docker's repository cannot be reached; use engine.source \"distribution\", or open the way to download.docker.com"
  chmod 0644 /etc/apt/keyrings/docker.asc
  write_file /etc/apt/sources.list.d/docker.list 0644 \
    "deb [arch=$(dpkg --print-architecture) signed-by=/etc/apt/keyrings/docker.asc] https://download.docker.com/linux/$ID $VERSION_CODENAME stable"
  apt update
  package=docker-ce
  if [ -n "$VERSION" ]; then
    full=$(apt-cache madison docker-ce | awk '{ print $3 }' | grep -E "^([0-9]+:)?$(echo "$VERSION" | sed 's/\./\\./g')([.~-]|\$)" | head -n 1)
    [ -n "$full" ] || die "Docker's repository has no version $VERSION for $ID $VERSION_CODENAME"
    package="docker-ce=$full docker-ce-cli=$full"
  fi
  # $package may be two words.
  # shellcheck disable=SC2086
  apt install --no-install-recommends $package containerd.io
}

install_engine() {
  settle_packages
  if ! engine_answers; then
    if command -v dockerd >/dev/null 2>&1; then
      say "Docker is installed but not running: starting it"
    elif [ "$SOURCE" = docker ]; then
      install_from_docker
    else
      install_from_distribution
    fi
    systemctl enable --now docker >"$LOG" 2>&1 || die "docker.service does not start: $(tail -n 1 "$LOG")"
  fi
  wait_for_engine
  docker version --format '{"version":"{{.Server.Version}}"}'
}

# Lies there from before the file changes until the engine runs with it, so that a run that was cut off in between is finished.
unapplied=/etc/pulumi-swarm/engine-restart

keep_settings() {
  write_file /etc/docker/daemon.json.before 0644 "$(cat /etc/docker/daemon.json)"
}

configure() {
  mkdir -p /etc/docker
  install -d -m 0700 /etc/pulumi-swarm
  write_file /etc/docker/daemon.json.next 0644 "$CONTENT"
  # Engines before 23.0 cannot validate a file, and say that they do not know the word.
  if ! dockerd --validate --config-file /etc/docker/daemon.json.next >"$LOG" 2>&1 && ! grep -q 'unknown flag: --validate' "$LOG"; then
    die "Docker refuses these settings: $(tail -n 1 "$LOG")"
  fi
  # After a cut, what is there was never tried: the last settings that worked are those that were kept then.
  if [ ! -e "$unapplied" ]; then
    if [ -f /etc/docker/daemon.json ]; then keep_settings; else rm -f /etc/docker/daemon.json.before; fi
    make_mark "$unapplied"
  fi
  mv /etc/docker/daemon.json.next /etc/docker/daemon.json
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
  wait_for_engine
  rm -f "$unapplied"
  echo '{}'
}

case "$1" in
  install) install_engine ;;
  configure) configure ;;
  *) die "unknown verb $1" ;;
esac
