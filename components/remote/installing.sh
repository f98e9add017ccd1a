#!/bin/sh
# What scripts that install packages have in common; it goes after prelude.sh, and before each of them.
set -eu

# What packages come by, if anything. A machine of Debian's may have dnf too, for other machines' sake.
packages_by=""
if command -v apt-get >/dev/null 2>&1; then packages_by=apt; elif command -v dnf >/dev/null 2>&1; then packages_by=dnf; fi

# In the words of apt-get, of dpkg, which says "another process" where it cannot tell the program, and of dnf 4 and 5. Without a process where
# they do not tell.
lock_is_held() { grep -Eq 'Could not get lock|lock (is|was) locked by .+ process|already locked by [0-9]+$|Failed to obtain rpm transaction lock|create transaction lock on' "$LOG"; }
lock_holder() {
  pid=$(sed -n -e 's/.*Could not get lock .* held by process \([0-9]*\).*/\1/p' -e 's/.* locked by .* process with pid \([0-9]*\).*/\1/p' \
    -e 's/.* already locked by \([0-9]*\)$/\1/p' "$LOG" | head -n 1)
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

# VERB…: without a question, and without what a package only recommends. By itself, dnf 4 would wait for others for good.
dnf_quietly() { with_packages "dnf" dnf -q -y --setopt=exit_on_lock=True --setopt=install_weak_deps=False "$@"; }
# What dnf said was wrong, as one line: it may begin on the next one.
dnf_error() { grep -E -A 2 '^(Error|error|RPM: error|dnf: error|Failed to)' "$LOG" | head -n 3 | paste -s -d ' ' - | tr -s ' ' | cut -c 1-400 || true; }

configure_packages() { with_packages "dpkg --configure" dpkg --configure -a; }

# Packages that rpm has twice: a cut between the new one's coming and the old one's going leaves them so, and perhaps the new one's own script
# did not end. Kernels and keys may be there several times.
rpm_settle() {
  several=" gpg-pubkey $(rpm -q --whatprovides --qf '%{NAME} ' 'installonlypkg(kernel)' 'installonlypkg(kernel-module)' 'installonlypkg(vm)' 'multiversion(kernel)' 2>/dev/null || true) "
  twice=$(rpm -qa --qf '%{NAME}.%{ARCH} %{INSTALLTIME} %{NAME} %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}\n' | sort -k 1,1 -k 2,2n |
    awk '$1 == last { print $3, old, $4 } { last = $1; old = $4 }')
  while read -r name old new; do
    case $name in '' | kernel*) continue ;; esac
    case $several in *" $name "*) continue ;; esac
    say "$name is there twice after a cut: taking $old off"
    rpm -e --nodeps --noscripts "$old" >"$LOG" 2>&1 </dev/null || { unsettled="rpm -e $old failed: $(tail -n 1 "$LOG")"; return 1; }
    dnf_quietly reinstall "$new" || true
  done <<EOF
$twice
EOF
}

# Whether nothing is left half-way, as by a run that was cut off. A package that was half unpacked when the power went is no case for dpkg,
# and apt-get takes it for installed: it is unpacked again by name and version. Nothing is taken off for that.
packages_settle() {
  unsettled=""
  if [ "$packages_by" = dnf ]; then rpm_settle; return; fi
  configure_packages || unsettled="dpkg --configure -a failed: $(tail -n 6 "$LOG" | paste -s -d ' ' - | cut -c 1-500)"
  # shellcheck disable=SC2016
  half=$(dpkg-query -W -f '${db:Status-Eflag} ${Package}=${Version}\n' 2>/dev/null | sed -n 's/^reinstreq //p')
  # shellcheck disable=SC2086
  if [ -n "$half" ] && with_packages "apt-get install" apt-get -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold \
    -qq --reinstall --no-remove --allow-downgrades --allow-change-held-packages install $half && configure_packages; then return 0; fi
  [ -z "$unsettled" ]
}
settle_packages() { packages_settle || die "$unsettled"; }

# PROGRAM PACKAGE: by its name on Debian. Those that have another one elsewhere are for the user to install.
need() {
  if command -v "$1" >/dev/null 2>&1; then return 0; fi
  case $packages_by-$2 in
    apt-*) ;;
    dnf-wireguard-tools | dnf-nftables | dnf-iptables | dnf-curl | dnf-openssl) ;;
    dnf-*) die "there is no $1, and this package does not know how it is installed here: install it" ;;
    *) die "there is no $1 and no apt-get to install it: install the package $2" ;;
  esac
  say "installing $2"
  if [ "$packages_by" = dnf ]; then
    dnf_quietly install "$2" || die "dnf install failed: $(dnf_error)"
    return
  fi
  settle_packages
  apt update
  apt install --no-install-recommends "$2"
}
