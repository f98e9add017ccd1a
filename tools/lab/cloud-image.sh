#!/bin/sh
# On a virtual machine: makes of its disk what a cloud's image is, which sets itself up at the next boot. What a cloud tells it comes from
# cloud-image.ts. Its own upgrades then have one package to install, whose installation lasts until there is /run/lab/upgrade.
set -eu

repository=/srv/upgrades

# VERSION FILE SCRIPT
make_package() {
  tree=$(mktemp -d)
  chmod 755 "$tree"
  mkdir "$tree/DEBIAN"
  cat >"$tree/DEBIAN/control" <<END
Package: slow-to-upgrade
Version: $1
Architecture: all
Maintainer: nobody <nobody@example.com>
Description: Takes as long as it is told to
END
  printf '#!/bin/sh\n%s\n' "$3" >"$tree/DEBIAN/postinst"
  chmod 755 "$tree/DEBIAN/postinst"
  dpkg-deb --build "$tree" "$2" >/dev/null
  rm -r "$tree"
}

# FILE: its hash and its size.
hash_of() { sha256sum <"$1" | cut -d ' ' -f 1; }
size_of() { stat -c %s "$1"; }

make_upgrade() {
  mkdir -p "$repository"
  make_package 1 /tmp/older.deb true
  dpkg --install /tmp/older.deb >/dev/null
  rm /tmp/older.deb
  # It ends by itself when nobody looks any more.
  make_package 2 "$repository/newer.deb" \
    "mkdir -p /run/lab; touch /run/lab/upgrading; tries=0; until [ -e /run/lab/upgrade ] || [ \$tries -ge 900 ]; do sleep 1; tries=\$((tries + 1)); done"
  {
    dpkg-deb -f "$repository/newer.deb"
    printf 'Filename: ./newer.deb\nSize: %s\nSHA256: %s\n' "$(size_of "$repository/newer.deb")" "$(hash_of "$repository/newer.deb")"
  } >"$repository/Packages"
  {
    printf 'Origin: lab\nLabel: lab\nSuite: stable\nDate: %s\n' "$(date -R -u)"
    printf 'SHA256:\n %s %s Packages\n' "$(hash_of "$repository/Packages")" "$(size_of "$repository/Packages")"
  } >"$repository/Release"
  echo "deb [trusted=yes] file:$repository ./" >/etc/apt/sources.list.d/lab.list
  apt-get update -qq -o Dir::Etc::sourcelist=/etc/apt/sources.list.d/lab.list -o Dir::Etc::sourceparts=-
  # Nothing else, so that it takes no longer than this one.
  printf '#clear Unattended-Upgrade::Origins-Pattern;\nUnattended-Upgrade::Origins-Pattern { "origin=lab"; };\n' >/etc/apt/apt.conf.d/60lab
}

# The hour of a daily upgrade passed before the machine was made, so that it comes at the first boot: at once, not within an hour.
make_upgrade_due() {
  rm /etc/systemd/system/apt-daily-upgrade.timer
  mkdir -p /etc/systemd/system/apt-daily-upgrade.timer.d /var/lib/systemd/timers
  printf '[Timer]\nRandomizedDelaySec=0\n' >/etc/systemd/system/apt-daily-upgrade.timer.d/lab.conf
  touch -d '-2 days' /var/lib/systemd/timers/stamp-apt-daily-upgrade.timer
}

forget_itself() {
  : >/etc/machine-id
  echo localhost >/etc/hostname
  echo '127.0.0.1 localhost' >/etc/hosts
  ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf
  rm -rf /etc/cloud/cloud-init.disabled /etc/systemd/network/lab.network /root/.ssh /etc/ssh/ssh_host_*
}

# So that there is something that `up` has to install.
dpkg --purge nftables >/dev/null
make_upgrade
make_upgrade_due
forget_itself
systemctl -q enable systemd-resolved.service unattended-upgrades.service apt-daily-upgrade.timer
sync
