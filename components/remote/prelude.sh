#!/bin/sh
# What scripts on hosts have in common; it goes before each of them. $LOG is a file for what a command prints: a person is
# shown its last line, when the command failed.
set -eu

say() { echo "$*" >&2; }
die() { say "$*"; exit 1; }

# FILE MODE TEXT [USER]: the file has this text, whole and on the disk. Or the run ends with the host's own reason, and the file is as
# it was. To be used for every file that outlives a run. The text is no standard input: in a pipe, the run would go on after a failure.
write_file() {
  if ! problem=$({
    umask 077
    printf '%s\n' "$3" | cat >"$1.new" && { [ -z "${4-}" ] || chown "$4:" "$1.new"; } && chmod "$2" "$1.new" && sync "$1.new" && mv -f "$1.new" "$1"
  } 2>&1); then
    rm -f "$1.new"
    die "$1 cannot be written, so it is as it was: ${problem##*: }"
  fi
}

# FILE TEXT: whether it has this text already.
has_text() { [ -e "$1" ] && printf '%s\n' "$2" | cmp -s - "$1"; }

# FILE: an empty one that says something by being there.
make_mark() {
  if ! problem=$({ : >"$1"; } 2>&1); then die "$1 cannot be written: ${problem##*: }"; fi
}

# Another run, or the machine's own upgrade timer, may hold apt's lock: wait for it rather than fail.
apt() {
  DEBIAN_FRONTEND=noninteractive timeout 600 apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -qq "$@" >"$LOG" 2>&1 </dev/null ||
    die "apt-get $1 failed: $(grep -E '^[EW]:' "$LOG" | tail -n 1 || true)"
}

# A run that was cut off may have left dpkg half-way.
settle_packages() { timeout 300 dpkg --configure -a >"$LOG" 2>&1 </dev/null || die "dpkg --configure -a failed: $(tail -n 1 "$LOG")"; }

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
