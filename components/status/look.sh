#!/bin/sh
# What a person wants to know of a host at a glance. It only reads: it writes no file, loads no module, takes no lock, and talks to no
# socket that would start a service. The engine is only asked by others, and only where this says that it runs. docker-rules.sh goes before it.
#   look   Result: what is there
set -eu
export LC_ALL=C

folder=/etc/pulumi-swarm
table="inet pulumi_swarm"

has() { command -v "$1" >/dev/null 2>&1; }
# Words for a JSON string: nothing but plain characters.
plain() { tr '\n\t' '  ' | tr -cd 'A-Za-z0-9 ._:/+~@,=%*()[]-' | sed 's/  */ /g; s/^ //; s/ $//'; }
# Lines as elements of a JSON array.
strings() { sed 's/.*/"&"/' | paste -s -d , -; }

unit_state() { systemctl is-active "$1" 2>/dev/null || true; }
unit_is_known() { [ "$(systemctl show --property=LoadState --value "$1" 2>/dev/null || true)" = loaded ]; }

# By systemd, since Docker's socket starts an engine that is stopped as soon as somebody asks it anything.
engine_state() {
  if has systemctl && unit_is_known docker.service; then
    unit_state docker.service
  elif grep -qsx dockerd /proc/[0-9]*/comm; then
    echo active
  else
    echo inactive
  fi
}

engine_last_words() {
  has journalctl || return 0
  journalctl -u docker.service -o cat -n 60 -q --no-pager 2>/dev/null | grep -E 'failed to start|unable to|level=fatal|invalid|unknown flag' | tail -n 1 |
    cut -c 1-300 | plain
}

docker_root() {
  root=$(sed -n 's/.*"data-root"[[:space:]]*:[[:space:]]*"\([^"]*\)".*/\1/p' /etc/docker/daemon.json 2>/dev/null | head -n 1)
  echo "${root:-/var/lib/docker}"
}

# FOLDER: the disk on which it is.
disk() {
  [ -d "$1" ] || return 0
  used=$(df -Pk "$1" 2>/dev/null | awk 'NR == 2 { sub("%", "", $5); print $5 + 0, $4 + 0 }')
  inodes=$(df -Pi "$1" 2>/dev/null | awk 'NR == 2 { sub("%", "", $5); print $5 + 0 }')
  printf '{"folder":"%s","usedPercent":%s,"freeKilobytes":%s,"inodesPercent":%s}\n' "$(echo "$1" | plain)" "${used% *}" "${used#* }" "${inodes:-0}"
}
disks() {
  root=$(docker_root)
  disk /
  if [ "$(df -P "$root" 2>/dev/null | awk 'NR == 2 { print $6 }')" != / ]; then disk "$root"; fi
}

reboot_required() {
  for mark in /run/reboot-required /var/run/reboot-required; do
    if [ -e "$mark" ]; then
      sort -u "$mark.pkgs" 2>/dev/null | plain
      return 0
    fi
  done
  return 1
}

# The first certificate of a file, and never the key that may be beside it.
certificate() { sed -n '/BEGIN CERTIFICATE/,/END CERTIFICATE/p' "$1" 2>/dev/null | sed '/END CERTIFICATE/q' | base64 | tr -d '\n'; }

# $table is two words.
# shellcheck disable=SC2086
listing() { nft -s list table $table 2>/dev/null; }

firewall_state() {
  if [ ! -e "$folder/firewall.nft" ]; then
    echo none
  elif ! has nft || ! listing >/dev/null; then
    echo gone
  elif [ "$(listing | sha256sum)" = "$(cat "$folder/firewall.loaded" 2>/dev/null || true)" ]; then
    echo whole
  else
    echo changed
  fi
}

# What was confirmed, without the sets that only the host itself can fill.
rules_digest() { grep -v "^add element $table " "$folder/firewall.nft" 2>/dev/null | sha256sum | cut -d ' ' -f 1; }

# Protocol, address and port, and the program: of sockets that others can reach.
listens() {
  has ss || return 0
  ss -Hltunp 2>/dev/null | awk '
    $5 !~ /^(127\.|\[::1\]|\[::ffff:127\.)/ && $5 !~ /%lo:/ {
      name = "the kernel"
      if (match($0, /\(\("[^"]*"/)) name = substr($0, RSTART + 3, RLENGTH - 4)
      port = $5
      sub(/.*:/, "", port)
      print port "/" $1, name
    }' | sort -u | sort -n | sed 's|[^A-Za-z0-9 ._:/+-]||g'
}

units() {
  has systemctl || return 0
  for file in /etc/systemd/system/pulumi-swarm-*.service; do
    [ -e "$file" ] || continue
    unit=${file##*/}
    printf '"%s":"%s"\n' "$(echo "$unit" | plain)" "$(unit_state "$unit" | plain)"
  done | paste -s -d , -
}

now() {
  time=$(date +%s.%N)
  case "$time" in *[!0-9.]*) date +%s ;; *) echo "$time" ;; esac
}

look() {
  engine=$(engine_state)
  said=""
  if [ "$engine" = failed ] || [ "$engine" = activating ]; then said=$(engine_last_words); fi
  # shellcheck source=/dev/null
  distribution=$(if [ -r /etc/os-release ]; then . /etc/os-release; fi; echo "${PRETTY_NAME:-}" | plain)
  if packages=$(reboot_required); then reboot=$(printf '{"packages":"%s"}' "$packages"); else reboot=null; fi
  printf '{"hostname":"%s","kernel":"%s","distribution":"%s","uptime":%s,"engine":"%s","engineSaid":"%s","disks":[%s],"reboot":%s,"daemon":"%s","certificate":"%s",' \
    "$(plain </proc/sys/kernel/hostname)" "$(uname -r | plain)" "$distribution" "$(cut -d . -f 1 /proc/uptime)" "$engine" "$said" \
    "$(disks | paste -s -d , -)" "$reboot" "$(base64 /etc/docker/daemon.json 2>/dev/null | tr -d '\n')" \
    "$(certificate "$(docker_root)/swarm/certificates/swarm-node.crt")"
  printf '"tablesWithoutRules":[%s],' "$(if [ "$engine" = active ]; then tables_without_rules | strings; fi)"
  printf '"firewall":{"state":"%s","digest":"%s"},"listens":[%s],"units":{%s},"time":%s}\n' \
    "$(firewall_state)" "$(rules_digest)" "$(listens | strings)" "$(units)" "$(now)"
}

case "$1" in
  look) look ;;
  *)
    echo "unknown verb $1" >&2
    exit 1
    ;;
esac
