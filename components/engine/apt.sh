#!/bin/sh
# Docker's packages where apt-get installs them: Debian and Ubuntu. packages.sh comes after it.
set -eu

# Of Docker's own repository, and of the distributions.
known_packages="docker-ce docker-ce-cli containerd.io docker.io docker-cli containerd runc"

# Those that are there, each as NAME=VERSION.
installed_packages() {
  for name in $known_packages; do
    # shellcheck disable=SC2016
    dpkg-query -W -f '${db:Status-Status} ${Package}=${Version}\n' "$name" 2>/dev/null | sed -n 's/^installed //p'
  done
}

has_engine_package() { installed_packages | grep -Eq '^docker(-ce|\.io)='; }

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

# PACKAGE…: onto the disk alone.
download_packages() { install_packages --download-only "$@"; }

# What apt-get said was wrong.
package_error() { grep -E '^(E:|dpkg: error)' "$LOG" | head -n 1 || true; }

# FOLDER: the packages that are there, as files in it.
keep_packages() {
  for package in $(installed_packages); do
    ( cd "$1" && apt-get -qq -o APT::Sandbox::User=root download "$package" >"$LOG" 2>&1 ) || return 1
  done
}

# FOLDER: what to give to install_packages for what is in it to be all that is there. Those of the other source would be in the way.
packages_in() {
  echo "$1"/*.deb
  for package in $(installed_packages | sed 's/=.*//'); do
    if ! ls "$1/${package}_"*.deb >/dev/null 2>&1; then echo "$package-"; fi
  done
}

# PACKAGE…: nothing but this package changes them from now on.
lock_packages() { apt-mark hold "$@" >"$LOG" 2>&1 || die "apt-mark hold failed: $(tail -n 1 "$LOG")"; }
unlock_packages() { apt-mark unhold "$@" >"$LOG" 2>&1 || die "apt-mark unhold failed: $(tail -n 1 "$LOG")"; }

# Without a version: the newest.
install_from_distribution() {
  apt update
  if apt-cache show docker-cli >/dev/null 2>&1; then
    apt install --no-install-recommends docker.io docker-cli
  else
    apt install --no-install-recommends docker.io
  fi
}

install_from_docker() {
  add_repository
  apt update
  package=docker-ce
  if [ -n "$VERSION" ]; then
    full=$(newest_of docker-ce)
    [ -n "$full" ] || die "$(no_such_version docker-ce)"
    package="docker-ce=$full docker-ce-cli=$full"
  fi
  # $package may be two words.
  # shellcheck disable=SC2086
  apt install --no-install-recommends $package containerd.io
}

read_repositories() { apt update; }
