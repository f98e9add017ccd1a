#!/bin/sh
# Docker's packages and its engine, for the scripts beside this one, which come after it. Whatever installs packages is in apt.sh and dnf.sh,
# which come before it.
set -eu

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

# What cannot be finished of packages of Docker's that were being replaced comes again with the next replacing.
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

has_package() { installed_packages | grep -q "^$1="; }

# NAME of os-release. It has a VERSION too, which must not take the place of ours.
system() {
  # shellcheck source=/dev/null
  (. /etc/os-release && eval "echo \"\${$1:-}\"")
}

# PACKAGE: the newest of its versions that VERSION is a prefix of.
newest_of() { versions_of "$1" | grep -E "^([0-9]+:)?$(echo "$VERSION" | sed 's/\./\\./g')([.~+-]|\$)" | head -n 1; }

# Debian's and Ubuntu's are known by their names.
system_release() {
  name=$(system VERSION_CODENAME)
  echo "${name:-$(system VERSION_ID)}"
}

no_such_version() {
  there=$(versions_of "$1" | sed -e 's/^[0-9]*://' -e 's/[~+-].*//' | awk '!seen[$0]++' | head -n 5 | paste -s -d , - | sed 's/,/, /g')
  echo "there is no Docker $VERSION for $(system ID) $(system_release) in the repositories of this host; they have ${there:-none}"
}

# The packages that are there now, on the disk. After a cut they may be half of the new ones: those that were kept before stay.
keep_present() {
  if is_replacing; then return 0; fi
  rm -rf "$kept"
  install -d -m 0755 "$kept"
  keep_packages "$kept" || { rm -rf "$kept"; return 1; }
}

hold_packages() {
  # shellcheck disable=SC2046
  set -- $(installed_packages | sed 's/=.*//')
  [ "$#" -gt 0 ] || return 0
  lock_packages "$@"
  install -d -m 0700 /etc/pulumi-swarm
  install -d -m 0700 "$held"
}
release_packages() {
  [ -d "$held" ] || return 0
  # shellcheck disable=SC2046
  set -- $(installed_packages | sed 's/=.*//')
  [ "$#" -eq 0 ] || unlock_packages "$@"
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

# Whether the engine that runs is that of the packages. After a cut it may be the old one, which nothing has restarted yet.
runs_installed() {
  number=$(engine_version | sed 's/[^0-9.].*//')
  [ -n "$number" ] && installed_packages | grep -Eq "^(docker-ce|docker\\.io|moby-engine|docker)=([0-9]+:)?$(echo "$number" | sed 's/\./\\./g')([^0-9]|\$)"
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
  # shellcheck disable=SC2046
  if ! install_packages $(packages_in "$kept"); then stuck "$1" "$(package_error)"; fi
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
