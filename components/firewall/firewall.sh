#!/bin/sh
# The host's own firewall: one nftables table of ours, beside everybody else's. All verbs may be run again at any time.
#   apply    RULESET, LIMIT_SECONDS, SMALLEST (rules for a host on which those do not load), GUARD (text of guard.sh): loads it, and puts the old rules back by itself unless `confirm` comes in time; prints after how many seconds
#   confirm  SMALLEST, GUARD: keeps what is loaded, also for the next boot; refuses when the old rules are back already
#   state    whether an unconfirmed ruleset is loaded
#   down     takes everything away
set -eu

folder=/etc/pulumi-swarm
confirmed=$folder/firewall.nft
next=$folder/firewall.nft.next
previous=$folder/firewall.nft.previous
refused=$folder/firewall.nft.refused
# How nft shows the confirmed table: whoever changes what is loaded is noticed by it.
fingerprint=$folder/firewall.loaded
fallback=$folder/firewall.nft.smallest
switch=pulumi-swarm-firewall-rollback
unit=pulumi-swarm-firewall.service
watch=pulumi-swarm-firewall-watch.service
units=/etc/systemd/system
keeper=$folder/firewall-guard
table="inet pulumi_swarm"

install_nftables() {
  need nft nftables
  nft=$(command -v nft)
}

# $table is two words.
# shellcheck disable=SC2086
listing() { "$nft" -s list table $table 2>/dev/null; }

print_fingerprint() { listing | sha256sum; }

# Interfaces that are the host's own way out: those with a default route, and bridges with a port that is not a container's.
# A name as a file: in /sys only links are interfaces.
uplinks() {
  {
    ip -4 route show default
    ip -6 route show default
  } | while read -r route; do
    case $route in *" dev "*) route=${route#* dev }; echo "${route%% *}" ;; esac
  done
  containers=none
  for port in /sys/class/net/*/brif/*; do
    [ -e "$port" ] || continue
    if [ "$containers" = none ]; then containers=$(ip -o link show type veth); fi
    bridge=${port#/sys/class/net/}
    # "7: NAME@if6: …"
    case $containers in *": ${port##*/}@"* | *": ${port##*/}: "*) ;; *) echo "${bridge%%/*}" ;; esac
  done
}

# FILE: the name servers of a resolv.conf.
nameservers() {
  [ -r "$1" ] || return 0
  while read -r word server _ || [ -n "$word" ]; do
    if [ "$word" = nameserver ]; then echo "${server%%[!0-9A-Fa-f.:]*}"; fi
  done <"$1"
}

# The host's own addresses among its name servers, of which Docker takes systemd-resolved's where there is no other. Loopback is none: it is asked by Docker itself.
resolvers() {
  servers=$(nameservers /etc/resolv.conf)
  if [ "$servers" = 127.0.0.53 ]; then servers=$(nameservers /run/systemd/resolve/resolv.conf); fi
  [ -n "$servers" ] || return 0
  own=$(ip -o addr show scope global)
  for server in $servers; do
    # A peer's address may follow in the place of the prefix.
    case $own in *" inet $server/"* | *" inet $server "* | *" inet6 $server/"* | *" inet6 $server "*) echo "$server" ;; esac
  done
}

# SET QUOTE, and its elements by words
elements() {
  set_name=$1
  quote=$2
  shift 2
  list=""
  for element in "$@"; do
    case ",$list," in *",$quote$element$quote,"*) ;; *) list="$list${list:+,}$quote$element$quote" ;; esac
  done
  case $list in *,*) list=$(echo "$list" | tr , '\n' | sort | paste -sd, -) ;; esac
  [ -z "$list" ] || echo "add element $table $set_name { $list }"
}

# What is loaded: the ruleset, and what only the host knows. One file, and so one transaction. Names and addresses are words.
# shellcheck disable=SC2046
ruleset_text() {
  printf '%s\n' "$RULESET"
  elements uplinks '"' $(uplinks)
  four=""
  six=""
  for resolver in $(resolvers); do
    case $resolver in *:*) six="$six $resolver" ;; *) four="$four $resolver" ;; esac
  done
  # shellcheck disable=SC2086
  elements resolvers "" $four
  # shellcheck disable=SC2086
  elements resolvers6 "" $six
}

# Whether the table is loaded as it was confirmed.
is_as_confirmed() {
  loaded=""
  if [ -r "$fingerprint" ]; then read -r loaded <"$fingerprint" || true; fi
  [ "$loaded" = "$(print_fingerprint)" ]
}

# The table as it is, as a file that brings it back. The confirmed file is better than nft's own listing of it.
previous_text() {
  echo "table $table"
  echo "delete table $table"
  if [ -f "$confirmed" ] && is_as_confirmed; then cat "$confirmed"; else listing || true; fi
}

timer_runs() { systemctl is-active --quiet "$switch.timer"; }
rollback_runs() {
  case $(systemctl is-active "$switch.service" 2>/dev/null || true) in active | activating | deactivating | reloading) ;; *) return 1 ;; esac
}

# After this the switch either has done its work or never will.
stop_switch() {
  systemctl stop "$switch.timer" >/dev/null 2>&1 || true
  tries=0
  while rollback_runs; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || die "the old firewall rules are being put back, and that does not end: see journalctl -u $switch"
    sleep 0.1
  done
}

# A run that was cut off: its switch is stopped or will fire. The old rules are put back now, so that there is one way on. A switch
# without these files has done its work.
settle_interrupted() {
  if [ ! -e "$next" ] && [ ! -e "$previous" ]; then return 0; fi
  stop_switch
  if [ -f "$next" ] && [ -f "$previous" ]; then
    say "an earlier run was cut off before its rules were confirmed: starting from the old ones"
    "$nft" -f "$previous"
  fi
  rm -f "$next" "$previous"
}

# As the switch and a confirmation that fails do it.
put_back_text() { echo "'$nft' -f $previous && mv $next $refused && rm -f $previous"; }

run_switch() {
  systemd-run --quiet --collect --on-active="$limit" --timer-property=AccuracySec=100ms --unit="$switch" \
    /bin/sh -c "$(put_back_text)" >"$LOG" 2>&1
}

# An earlier one may still have its name.
start_switch() {
  if run_switch; then return 0; fi
  stop_switch
  systemctl reset-failed "$switch.timer" "$switch.service" >/dev/null 2>&1 || true
  run_switch || die "the switch that puts the old rules back cannot be set up, so nothing is changed: $(tail -n 1 "$LOG")"
}

# Since it booted, in $seconds. No process is needed for it.
look_at_clock() {
  read -r seconds _ </proc/uptime
  seconds="${seconds%%.*}"
}

# A machine that is busy now takes longer to let somebody in, too: four times what it took to get so far, and never more than two
# minutes for who is locked out (mostPatience in agents/phases/protect.ts).
limit_since() {
  look_at_clock
  limit=$((4 * (seconds - $1)))
  if [ "$limit" -gt 120 ]; then limit=120; fi
  if [ "$limit" -lt "$LIMIT_SECONDS" ]; then limit=$LIMIT_SECONDS; fi
}

apply() {
  install_nftables
  look_at_clock
  began=$seconds
  command -v systemd-run >/dev/null 2>&1 || die "systemd-run is missing: without it nothing would put the old rules back"
  install -d -m 0700 "$folder"
  settle_interrupted
  wanted=$(ruleset_text)
  if has_text "$confirmed" "$wanted" && is_as_confirmed; then
    install_units
    echo '{"changed":false}'
    return
  fi
  if ! printf '%s\n' "$wanted" | "$nft" -c -f - >"$LOG" 2>&1; then
    die "nft refuses the ruleset, so the old one stays: $(grep -m 1 Error "$LOG" || head -n 1 "$LOG")"
  fi
  write_file "$previous" 0600 "$(previous_text)"
  write_file "$next" 0600 "$wanted"
  limit_since "$began"
  start_switch
  if ! "$nft" -f "$next" >"$LOG" 2>&1; then
    stop_switch
    rm -f "$next" "$previous"
    die "nft cannot load the ruleset, so the old one stays: $(grep -m 1 Error "$LOG" || head -n 1 "$LOG")"
  fi
  say "new rules are loaded; the old ones come back in $limit s unless a new connection succeeds"
  echo "{\"changed\":true,\"seconds\":$limit}"
}

# Made first, so that there is one to delete.
remove_table() { printf 'table %s\ndelete table %s\n' "$table" "$table" | "$nft" -f -; }

# How nft lists the new rules. What is listed now may lack what somebody took away since they were loaded, and would pass for whole
# ever after: it counts when another load does not change it.
sure_fingerprint() {
  listed=$(listing) || listed=""
  for _ in 1 2 3 4 5; do
    "$nft" -f "$next" >"$LOG" 2>&1 || die "nft cannot load the ruleset again: $(grep -m 1 Error "$LOG" || head -n 1 "$LOG")"
    now=$(listing) || now=""
    if [ -n "$now" ] && [ "$now" = "$listed" ]; then
      printf '%s\n' "$now" | sha256sum
      return
    fi
    listed=$now
  done
  die "somebody changes this host's rules while they are loaded: stop what does it (another firewall?), and run again"
}

# What failed has said why.
give_back() {
  /bin/sh -c "$(put_back_text)" >"$LOG" 2>&1 || die "the new firewall rules cannot be kept, and the old ones not be put back: $(tail -n 1 "$LOG")"
  exit 1
}

confirm() {
  nft=$(command -v nft)
  # The connection by which this comes is the proof, and on a busy host all else may take longer than the switch waits.
  stop_switch
  if [ ! -f "$next" ]; then die "the new firewall rules were not confirmed in time, so the old ones are back"; fi
  sure=$(sure_fingerprint) || give_back
  (write_file "$fingerprint" 0600 "$sure") || give_back
  mv "$next" "$confirmed"
  keep_names "$confirmed"
  rm -f "$previous" "$refused"
  install_units
  echo '{"confirmed":true}'
}

# At boot before the network and Docker, and after a firewall of the machine's own that might flush everything. It has no stop
# and is not stopped at shutdown: that would open the host while Docker still runs.
unit_text="[Unit]
Description=Host firewall of pulumi-swarm
DefaultDependencies=no
ConditionPathExists=$confirmed
After=local-fs.target nftables.service
Wants=network-pre.target
Before=network-pre.target docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh $keeper load

[Install]
WantedBy=sysinit.target"

watch_text="[Unit]
Description=Loads the host firewall of pulumi-swarm again when somebody takes it away
ConditionPathExists=$confirmed
After=$unit
StartLimitIntervalSec=0

[Service]
ExecStart=/bin/sh $keeper watch
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target"

# All at once: each process on a host costs a millisecond.
units_are_kept() {
  [ -e "$units/sysinit.target.wants/$unit" ] && [ -e "$units/multi-user.target.wants/$watch" ] &&
    [ "$(cat "$fallback" "$keeper" "$units/$unit" "$units/$watch" 2>/dev/null)" = "$(printf '%s\n' "$SMALLEST" "$GUARD" "$unit_text" "$watch_text")" ]
}

# FILE MODE TEXT: whether it had another one.
put() {
  if has_text "$1" "$3"; then return 1; fi
  write_file "$1" "$2" "$3"
}

# Enabled by hand. What systemd never had it finds by itself, and only of what has changed it must be told: that takes it longer than
# all else here together.
install_units() {
  if units_are_kept; then
    if ! systemctl is-active --quiet "$watch"; then systemctl restart --no-block "$watch"; fi
    return 0
  fi
  known=false
  if [ -e "$units/$unit" ] || [ -e "$units/$watch" ]; then known=true; fi
  put "$fallback" 0600 "$SMALLEST" || true
  changed=false
  if put "$units/$unit" 0644 "$unit_text"; then changed=true; fi
  if put "$units/$watch" 0644 "$watch_text"; then changed=true; fi
  install -d "$units/sysinit.target.wants" "$units/multi-user.target.wants"
  ln -sf "$units/$unit" "$units/sysinit.target.wants/$unit"
  ln -sf "$units/$watch" "$units/multi-user.target.wants/$watch"
  keep_names "$units/sysinit.target.wants/$unit"
  keep_names "$units/multi-user.target.wants/$watch"
  if "$known" && "$changed"; then systemctl daemon-reload; fi
  if ! put "$keeper" 0700 "$GUARD" && ! "$changed" && systemctl is-active --quiet "$watch"; then return 0; fi
  if systemctl restart --no-block "$watch" >"$LOG" 2>&1; then return 0; fi
  # An older systemd has a list of the files that there were.
  systemctl daemon-reload
  systemctl restart --no-block "$watch"
}

state() {
  if timer_runs || rollback_runs; then echo '{"pending":true}'; else echo '{"pending":false}'; fi
}

down() {
  stop_switch
  # The watch first, or it would bring back what goes.
  systemctl stop "$watch" "$unit" >/dev/null 2>&1 || true
  if [ -f "$units/$unit" ] || [ -f "$units/$watch" ]; then
    rm -f "$units/$unit" "$units/sysinit.target.wants/$unit" "$units/$watch" "$units/multi-user.target.wants/$watch"
    systemctl daemon-reload
    systemctl reset-failed "$watch" "$unit" >/dev/null 2>&1 || true
  fi
  rm -f "$confirmed" "$next" "$next.new" "$previous" "$previous.new" "$refused" "$fingerprint" "$fallback" "$keeper"
  nft=$(command -v nft || true)
  if [ -n "$nft" ]; then remove_table; fi
  rmdir "$folder" 2>/dev/null || true
  echo '{}'
}

case "$1" in
  apply) apply ;;
  confirm) confirm ;;
  state) state ;;
  down) down ;;
  *) die "unknown verb $1" ;;
esac
