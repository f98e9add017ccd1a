#!/bin/sh
# Docker's packages and its engine, for the scripts beside this one, which come after it.
set -eu

# Of Docker's own repository, and of the distributions.
known_packages="docker-ce docker-ce-cli containerd.io docker.io docker-cli containerd runc"
# There from before packages are replaced until the engine runs with them or is what it was. In it is the version that ran before. It and
# the next are folders, so that the first look at a host shows them.
replacing=/etc/pulumi-swarm/engine-replacing
# There while Docker's packages are held by us.
held=/etc/pulumi-swarm/engine-held
# Packages of the version before, to put it back.
kept=/var/cache/pulumi-swarm/engine

engine_version() { timeout 20 docker version --format '{{.Server.Version}}' 2>/dev/null; }
engine_answers() { engine_version >/dev/null; }
is_replacing() { [ -d "$replacing" ]; }

# What dpkg cannot finish of packages of Docker's that were being replaced comes again with the next replacing.
settle_engine() { if is_replacing; then packages_settle || true; else settle_packages; fi; }

wait_for_engine() {
  tries=0
  until engine_answers; do
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || return 1
    sleep 1
  done
}

# What the engine said last.
last_words() { journalctl _SYSTEMD_UNIT=docker.service -n 1 -o cat 2>/dev/null | cut -c 1-300 || true; }

# Those that are there, each as NAME=VERSION.
installed_packages() {
  for name in $known_packages; do
    # shellcheck disable=SC2016
    dpkg-query -W -f '${db:Status-Status} ${Package}=${Version}\n' "$name" 2>/dev/null | sed -n 's/^installed //p'
  done
}

has_package() { installed_packages | grep -q "^$1="; }

# NAME of os-release. It has a VERSION too, which must not take the place of ours.
system() {
  # shellcheck source=/dev/null
  (. /etc/os-release && eval "echo \"\$$1\"")
}

# Docker's repository under REPOSITORY, which has a folder for each system.
add_repository() {
  id=$(system ID)
  apt update
  apt install --no-install-recommends ca-certificates curl
  install -m 0755 -d /etc/apt/keyrings
  timeout 60 curl -fsSL "$REPOSITORY/$id/gpg" -o /etc/apt/keyrings/docker.asc ||
    die "Docker's repository cannot be reached at $REPOSITORY; use engine.source \"distribution\", engine.repository for a copy of it, or open the way to it"
  chmod 0644 /etc/apt/keyrings/docker.asc
  write_file /etc/apt/sources.list.d/docker.list 0644 \
    "deb [arch=$(dpkg --print-architecture) signed-by=/etc/apt/keyrings/docker.asc] $REPOSITORY/$id $(system VERSION_CODENAME) stable"
}

# PACKAGE: its versions, the newest first.
versions_of() { apt-cache madison "$1" | awk '{ print $3 }'; }

# PACKAGE: the newest of its versions that VERSION is a prefix of.
newest_of() { versions_of "$1" | grep -E "^([0-9]+:)?$(echo "$VERSION" | sed 's/\./\\./g')([.~+-]|\$)" | head -n 1; }

no_such_version() {
  there=$(versions_of "$1" | sed -e 's/^[0-9]*://' -e 's/[~+-].*//' | awk '!seen[$0]++' | head -n 5 | paste -s -d , - | sed 's/,/, /g')
  echo "there is no Docker $VERSION for $(system ID) $(system VERSION_CODENAME) in the repositories of this host; they have ${there:-none}"
}

# The package of the engine, by SOURCE.
engine_package() { if [ "$SOURCE" = docker ]; then echo docker-ce; else echo docker.io; fi; }

# What to give apt-get for VERSION, after its repositories were read. Packages of the other source go by name: they are held, and what is
# held is in the way of what conflicts with it.
wanted_packages() {
  full=$(newest_of "$(engine_package)")
  [ -n "$full" ] || die "$(no_such_version "$(engine_package)")"
  if [ "$SOURCE" = docker ]; then
    echo "docker-ce=$full docker-ce-cli=$full containerd.io $(without docker.io docker-cli containerd runc)"
  else
    # Its version may have a suffix of its own. On older systems the client is part of the engine's package.
    cli=$(newest_of docker-cli)
    echo "docker.io=$full ${cli:+docker-cli=$cli} $(without docker-ce docker-ce-cli containerd.io)"
  fi
}

# PACKAGE…: to take off those that are there.
without() {
  for name in "$@"; do
    if has_package "$name"; then printf '%s- ' "$name"; fi
  done
}

# FLAG… PACKAGE…: also another version than the newest one, and one that is held. What else runs on the machine is not restarted for it.
install_packages() {
  with_packages "apt-get install" env NEEDRESTART_SUSPEND=1 apt-get -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    -qq install --no-install-recommends --allow-downgrades --allow-change-held-packages "$@"
}

# What apt-get said was wrong.
package_error() { grep -E '^(E:|dpkg: error)' "$LOG" | head -n 1 || true; }

# The packages that are there now, on the disk. After a cut they may be half of the new ones: those that were kept before stay.
keep_present() {
  if is_replacing; then return 0; fi
  rm -rf "$kept"
  install -d -m 0755 "$kept"
  for package in $(installed_packages); do
    ( cd "$kept" && apt-get -qq -o APT::Sandbox::User=root download "$package" >"$LOG" 2>&1 ) || { rm -rf "$kept"; return 1; }
  done
}

hold_packages() {
  # shellcheck disable=SC2046
  set -- $(installed_packages | sed 's/=.*//')
  [ "$#" -gt 0 ] || return 0
  apt-mark hold "$@" >"$LOG" 2>&1 || die "apt-mark hold failed: $(tail -n 1 "$LOG")"
  install -d -m 0700 /etc/pulumi-swarm
  install -d -m 0700 "$held"
}
release_packages() {
  [ -d "$held" ] || return 0
  # shellcheck disable=SC2046
  set -- $(installed_packages | sed 's/=.*//')
  [ "$#" -eq 0 ] || apt-mark unhold "$@" >"$LOG" 2>&1 || die "apt-mark unhold failed: $(tail -n 1 "$LOG")"
  rmdir "$held"
}

# Whether the engine runs, and in a version that VERSION is a prefix of. Packages do not all restart it.
runs_as_wanted() {
  systemctl reset-failed docker containerd >/dev/null 2>&1 || true
  systemctl enable docker >/dev/null 2>&1 || true
  is_wanted && return 0
  timeout 150 systemctl restart docker >/dev/null 2>&1 || return 1
  wait_for_engine && is_wanted
}
is_wanted() {
  if [ "$VERSION" = unknown ]; then engine_answers; return; fi
  case "$(engine_version)." in "$VERSION".* | "$VERSION"+* | "$VERSION"-* | "$VERSION"~*) true ;; *) false ;; esac
}

# Replaces the packages by those of VERSION. Where the engine does not run with them, the ones before are put back.
replace_engine() {
  wanted=$(wanted_packages)
  install -d -m 0700 /etc/pulumi-swarm
  if ! is_replacing; then
    install -d -m 0700 "$replacing"
    write_file "$replacing/before" 0600 "$(engine_version || echo unknown)"
  fi
  # shellcheck disable=SC2086
  if ! install_packages $wanted; then put_back "its packages cannot be installed ($(package_error))"; fi
  if ! runs_as_wanted; then put_back "it does not run ($(last_words))"; fi
  end_replacing
}

end_replacing() { rm -rf "$kept" "$replacing"; }
before() { cat "$replacing/before" 2>/dev/null || echo unknown; }

# WHY: never returns.
put_back() {
  before=$(before)
  say "Docker $VERSION: $1; putting $before back"
  if [ ! -d "$kept" ]; then
    stuck "$1" "its packages are not to be had any more"
  fi
  packages_settle || true
  # Those of the other source would be in the way.
  gone=""
  for package in $(installed_packages | sed 's/=.*//'); do
    if ! ls "$kept/${package}_"*.deb >/dev/null 2>&1; then gone="$gone $package-"; fi
  done
  # shellcheck disable=SC2086
  if ! install_packages "$kept"/*.deb $gone; then stuck "$1" "apt-get: $(package_error)"; fi
  VERSION=${before%%[+~-]*}
  if ! runs_as_wanted; then stuck "$1" "$(last_words)"; fi
  end_replacing
  if [ -d "$held" ]; then hold_packages; fi
  die "its Docker was not replaced: with the new version, $1. Docker $before was put back and runs"
}

# WHY WHY_NOT_BACK
stuck() {
  die "its Docker was not replaced: with the new version, $1. The version before, $(before), could not be put back either: $2." \
    "Now docker.service is $(systemctl is-active docker 2>/dev/null || true), with packages $(installed_packages | paste -s -d ' ' -). If it is not active, no container runs there." \
    "Fix: see journalctl -u docker on the host; the next \`up\` tries the new version again"
}
