#!/bin/sh
# Runs inside a new host image: leaves out what a container that plays a machine does not need.
set -eu

mask() {
  for unit in "$@"; do
    ln -sf /dev/null "/etc/systemd/system/$unit"
  done
}

# Each of these costs memory or inotify instances in every host, or does work that nobody asked for.
mask systemd-ask-password-console.path systemd-ask-password-wall.path systemd-logind.service \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-modules-load.service \
  getty.target console-getty.service

# Made when a host starts: no two hosts may share them.
rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id
: > /etc/machine-id

# BIRD is for an overlay, which starts one of its own.
rm -f /etc/systemd/system/*.wants/bird.service

# Docker is not in every variant.
[ -x /usr/bin/containerd ] || rm -rf /etc/containerd

apt-get clean
rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log /var/log/alternatives.log /usr/share/doc /usr/share/man
