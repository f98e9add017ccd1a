#!/bin/busybox sh
# shellcheck shell=sh
# First program of a virtual machine: mounts the disk and hands over to systemd.
set -eu

/bin/busybox mkdir -p /proc /dev /disk
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t devtmpfs devtmpfs /dev
for module in /modules/*.ko; do
  /bin/busybox insmod "$module"
done
until [ -b /dev/vda ]; do
  /bin/busybox sleep 0.1
done
/bin/busybox mount -t ext4 /dev/vda /disk
/bin/busybox umount /proc
exec /bin/busybox switch_root /disk /sbin/init
