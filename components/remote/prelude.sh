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
