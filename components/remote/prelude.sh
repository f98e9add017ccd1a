#!/bin/sh
# What scripts on hosts have in common; it goes before each of them. $LOG is a file for what a command prints: a person is
# shown its last line, when the command failed.
set -eu

say() { echo "$*" >&2; }
die() { say "$*"; exit 1; }

# FILE MODE TEXT [USER]: the file has this text, whole and on the disk. Or the run ends with the host's own reason, and the file is as
# it was. To be used for every file that outlives a run. The text is no standard input: in a pipe, the run would go on after a failure.
# The shell writes it without a process, and cat tells the reason where that fails: dash has no words for it.
write_file() {
  if ! problem=$({
    umask 077
    { { printf '%s\n' "$3" >"$1.new"; } 2>/dev/null || printf '%s\n' "$3" | cat >"$1.new"; } && { [ -z "${4-}" ] || chown "$4:" "$1.new"; } && chmod "$2" "$1.new" && sync "$1.new" && mv -f "$1.new" "$1"
  } 2>&1); then
    rm -f "$1.new"
    die "$1 cannot be written, so it is as it was: ${problem##*: }"
  fi
  keep_names "$1"
}

# FILE: that it is called so outlives a power cut too. Without, the old one may be back: a disk is told of names when there is time.
keep_names() {
  case $1 in */*) sync "${1%/*}" ;; *) sync . ;; esac 2>/dev/null || true
}

# FILE TEXT: whether it has this text already.
has_text() { [ -e "$1" ] && printf '%s\n' "$2" | cmp -s - "$1"; }

# FILE: an empty one that says something by being there.
make_mark() {
  if ! problem=$({ : >"$1"; } 2>&1); then die "$1 cannot be written: ${problem##*: }"; fi
}

# PID: its name, and the unit that it belongs to. Its arguments are nobody's business: they may have a proxy's password.
who_is() {
  unit=$(sed -n -e 's|^0::.*/||p' -e 's|^1:name=systemd:.*/||p' "/proc/$1/cgroup" 2>/dev/null | head -n 1 || true)
  echo "$(cat "/proc/$1/comm" 2>/dev/null || echo "another program") (process $1${unit:+, $unit})"
}

# In the words of apt-get and of dpkg, which says "another process" where it cannot tell the program. Without a process where an older one
# does not tell.
lock_is_held() { grep -Eq 'Could not get lock|lock (is|was) locked by .+ process' "$LOG"; }
lock_holder() {
  pid=$(sed -n -e 's/.*Could not get lock .* held by process \([0-9]*\).*/\1/p' -e 's/.* locked by .* process with pid \([0-9]*\).*/\1/p' "$LOG" | head -n 1)
  if [ -n "$pid" ]; then who_is "$pid"; else echo "another program"; fi
}

# WHAT COMMAND…: a command that works on packages, when it is its turn. Another run holds the locks, or the machine's own upgrades do at
# its first boot. Nobody else waits for all of them: apt-get's DPkg::Lock::Timeout is for dpkg's alone, and dpkg refuses at once.
# A command that does more than the few packages of one program is given package_seconds. What is waited for is said again now and then:
# whoever looks at a run sees its last words.
package_minutes=10
package_limit=""
package_holder=""
package_said=0
with_packages() {
  what=$1
  shift
  until DEBIAN_FRONTEND=noninteractive LC_ALL=C timeout "${package_seconds:-600}" "$@" >"$LOG" 2>&1 </dev/null; do
    lock_is_held || return 1
    now=$(date +%s)
    package_limit=${package_limit:-$((now + package_minutes * 60))}
    holder=$(lock_holder)
    [ "$now" -lt "$package_limit" ] ||
      die "$what: $holder has held the packages' lock for $package_minutes minutes. Fix: see on the host why it does not end, then run again"
    if [ "$holder" != "$package_holder" ]; then
      say "waiting until $holder has installed its packages; $package_minutes minutes at most"
      package_said=$now
    elif [ "$((now - package_said))" -ge 30 ]; then
      say "still waiting until $holder has installed its packages: $((now - package_limit + package_minutes * 60)) of $((package_minutes * 60)) s"
      package_said=$now
    fi
    package_holder=$holder
    sleep 2
  done
}

apt() {
  with_packages "apt-get $1" apt-get -o Dpkg::Use-Pty=0 -qq "$@" || die "apt-get $1 failed: $(grep -E '^[EW]:' "$LOG" | tail -n 1 || true)"
}

configure_packages() { with_packages "dpkg --configure" dpkg --configure -a; }

# Whether nothing is left half-way, as by a run that was cut off. A package that was half unpacked when the power went is no case for dpkg,
# and apt-get takes it for installed: it is unpacked again by name and version. Nothing is taken off for that.
packages_settle() {
  unsettled=""
  configure_packages || unsettled=$(tail -n 6 "$LOG" | paste -s -d ' ' - | cut -c 1-500)
  # shellcheck disable=SC2016
  half=$(dpkg-query -W -f '${db:Status-Eflag} ${Package}=${Version}\n' 2>/dev/null | sed -n 's/^reinstreq //p')
  # shellcheck disable=SC2086
  if [ -n "$half" ] && with_packages "apt-get install" apt-get -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    -qq --reinstall --no-remove --allow-downgrades --allow-change-held-packages install $half && configure_packages; then return 0; fi
  [ -z "$unsettled" ]
}
settle_packages() { packages_settle || die "dpkg --configure -a failed: $unsettled"; }

# PROGRAM PACKAGE
need() {
  if command -v "$1" >/dev/null 2>&1; then return 0; fi
  command -v apt-get >/dev/null 2>&1 || die "there is no $1 and no apt-get to install it: install the package $2"
  say "installing $2"
  settle_packages
  apt update
  apt install --no-install-recommends "$2"
}

# SECONDS, then a condition
until_true() {
  limit=$(($(date +%s) + $1))
  shift
  until "$@"; do
    if [ "$(date +%s)" -ge "$limit" ]; then return 1; fi
    sleep 0.2
  done
}

# ADDRESS …: prints those for which `answers` of the script fails. A few at a time: a small machine cannot start hundreds at once.
still_silent() {
  started=0
  for peer in "$@"; do
    { answers "$peer" || echo "$peer"; } &
    started=$((started + 1))
    if [ $((started % 32)) -eq 0 ]; then wait; fi
  done
  wait
}

LOG=$(mktemp)
trap 'rm -f "$LOG"' EXIT
