#!/bin/sh
# A lock on this host. This process is the lock: it ends with its session, and when it has heard nothing from its holder for SILENCE
# seconds, since a holder whose network is gone ends no session for hours.
#   FILE, WAIT (seconds, 0 to try once), SILENCE (seconds), HOLDER (one line: who it is)
# Says a line for each: "held" and the holder, while another one has it; "locked"; and then "beat" for every byte that it hears.
set -u

holder() { head -n 1 "$FILE" | tr -d '[:cntrl:]'; }

for program in flock timeout head; do
  command -v "$program" >/dev/null 2>&1 || { echo "there is no $program" >&2; exit 1; }
done
exec 9<>"$FILE" || exit 1
limit=$(($(date +%s) + WAIT))
told=none
until flock -n 9; do
  now=$(holder)
  if [ -z "$now" ]; then
    # It has just come and has not signed yet, or is about to go; only a run of 0.1.0 leaves no name.
    if flock -w 1 9; then break; fi
    now=$(holder)
  fi
  if [ "$now" != "$told" ]; then echo "held $now"; fi
  told=$now
  if [ "$(date +%s)" -ge "$limit" ]; then exit 0; fi
  # Short, so that another holder is named.
  if flock -w 1 9; then break; fi
done
echo "$HOLDER, since $(date -u +%H:%M:%S) UTC, there as process $$" >"$FILE"
echo locked
while [ -n "$(timeout "$SILENCE" head -c 1 9>&-)" ]; do echo beat; done
: >"$FILE"
