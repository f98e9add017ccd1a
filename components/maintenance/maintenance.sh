#!/bin/sh
# What is done to a host as a whole: upgrades of its packages, and reboots. What was done last is kept here, so that it is done once
# whatever is cut off. A text is kept as the JSON that it came as.
#   probe    nothing: its function `maintenance_seen` is asked by the script after it
#   look     prints the same
#   fetch    TEXT: the upgrades of all packages onto the disk; installs nothing. Result: how many there are. Where there are none, TEXT is kept
#   upgrade  TEXT: installs them, and keeps TEXT
#   reboot   TEXT, or empty where nothing is to be kept: the machine restarts after this script has ended
#   note     REBOOT, PACKAGES, each a TEXT or empty: as if it had been done
#   forget   takes away what is kept
set -eu

folder=/etc/pulumi-swarm
# Two lines: where the machine was when it was asked to restart, and for which text. Once it is elsewhere, that was done.
rebooted=$folder/maintenance.reboot
upgraded=$folder/maintenance.packages

# Another text after each start of the machine. One that is a container has the kernel's id for as long as that runs, but a first process of
# its own: field 22 of its stat is when it started.
boot() { echo "$(cat /proc/sys/kernel/random/boot_id)-$(sed 's/.*) //' /proc/1/stat | cut -d ' ' -f 20)"; }

# FILE LINE: a line that is whole JSON text, or null.
kept_text() {
  text=$(sed -n "${2}p" "$1" 2>/dev/null || true)
  case "$text" in '"'*'"') printf '%s\n' "$text" ;; *) echo null ;; esac
}

# Why the machine is to be restarted, in words; nothing where it is not. Debian Policy 9.12 has the first. On a machine without the programs
# that leave it, as on a small Debian, a kernel's package that is newer than the machine's start says the same.
required() {
  if [ -e /run/reboot-required ]; then
    packages=$(sort -u /run/reboot-required.pkgs 2>/dev/null | head -n 4 | paste -s -d ' ' - | tr -cd 'A-Za-z0-9 .:+~-')
    echo "${packages:-updates}"
  elif ! systemd-detect-virt --quiet --container 2>/dev/null; then
    newer_kernels | paste -s -d ' ' -
  fi
}

# A container has its host's. What was removed leaves its list there. Amazon's, Red Hat's and Oracle's all provide a kernel.
newer_kernels() {
  started=$(sed -n 's/^btime //p' /proc/stat)
  # Where the other kind of packages is used, each finds nothing: a first look has none of what other scripts begin with, to tell which it is.
  rpm -q --whatprovides --qf '%{INSTALLTIME} %{NAME}-%{VERSION}-%{RELEASE}\n' kernel 2>/dev/null | awk -v started="$started" '$1 ~ /^[0-9]+$/ && $1 > started { print $2 }' || true
  for list in /var/lib/dpkg/info/linux-image-[0-9]*.list; do
    name=${list##*/}
    name=${name%.list}
    if [ -e "$list" ] && [ -e "/boot/vmlinuz-${name#linux-image-}" ] && [ "$(stat -c %Y "$list")" -gt "$started" ]; then echo "$name"; fi
  done
}

maintenance_seen() {
  now=$(boot)
  text=null
  if [ "$(sed -n 1p "$rebooted" 2>/dev/null || true)" != "$now" ]; then text=$(kept_text "$rebooted" 2); fi
  printf '{"boot":"%s","rebooted":%s,"packages":%s,"required":"%s"}\n' "$now" "$text" "$(kept_text "$upgraded" 1)" "$(required)"
}

keep() {
  install -d -m 0700 "$folder"
  write_file "$1" 0600 "$2"
}

# FLAG…: all that are not held. New ones come, as kernels do; none goes. Settings that somebody changed stay. What runs is not restarted by
# needrestart.
upgrade_packages() {
  package_seconds=3600 with_packages "apt-get upgrade" env NEEDRESTART_SUSPEND=1 apt-get -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    -qq --with-new-pkgs --no-remove "$@" upgrade || die "its packages cannot be upgraded: $(grep -E '^(E:|dpkg: error)' "$LOG" | head -n 1 || true)"
}

# FLAG…: the same by dnf. It tells what it would do unless it is quiet; what is locked is no part of that. Old kernels beyond its limit go.
dnf_upgrade_packages() {
  package_seconds=3600 with_packages "dnf upgrade" dnf -y --setopt=exit_on_lock=True "$@" upgrade || die "its packages cannot be upgraded: $(dnf_error)"
}

# How many dnf has in its summary: "Upgrade  3 Packages" of dnf 4, " Upgrading:  3 packages" of dnf 5.
dnf_count() { awk '/^ *(Install|Upgrade|Installing|Upgrading):? +[0-9]+ [Pp]ackages?$/ { count += $(NF - 1) } END { print count + 0 }' "$LOG"; }

fetch() {
  [ -n "$packages_by" ] || die "it has neither apt-get nor dnf, so its packages cannot be upgraded from here: leave maintenance.packages out"
  settle_packages
  if [ "$packages_by" = dnf ]; then
    dnf_upgrade_packages --refresh --downloadonly
    count=$(dnf_count)
  else
    apt update
    upgrade_packages --simulate
    count=$(grep -c '^Inst ' "$LOG" || true)
    if [ "$count" -gt 0 ]; then upgrade_packages --download-only; fi
  fi
  if [ "$count" -eq 0 ]; then keep "$upgraded" "$TEXT"; fi
  printf '{"count":%s}\n' "$count"
}

upgrade() {
  settle_packages
  if [ "$packages_by" = dnf ]; then dnf_upgrade_packages; else upgrade_packages; fi
  keep "$upgraded" "$TEXT"
  echo '{}'
}

# A little later, for this answer to arrive.
reboot() {
  now=$(boot)
  if [ -n "$TEXT" ]; then
    keep "$rebooted" "$now
$TEXT"
  fi
  systemd-run --quiet --collect --on-active=2 --timer-property=AccuracySec=100ms systemctl reboot >"$LOG" 2>&1 ||
    die "it cannot be rebooted (systemd-run: $(tail -n 1 "$LOG"))"
  printf '{"boot":"%s"}\n' "$now"
}

note() {
  if [ -n "$REBOOT" ]; then
    keep "$rebooted" "before
$REBOOT"
  fi
  if [ -n "$PACKAGES" ]; then keep "$upgraded" "$PACKAGES"; fi
  echo '{}'
}

forget() {
  rm -f "$rebooted" "$upgraded"
  echo '{}'
}

case "$1" in
  probe) ;;
  look) maintenance_seen ;;
  fetch) fetch ;;
  upgrade) upgrade ;;
  reboot) reboot ;;
  note) note ;;
  forget) forget ;;
  *) die "unknown verb $1" ;;
esac
