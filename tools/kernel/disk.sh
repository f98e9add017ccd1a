#!/bin/sh
# In a container with QEMU: makes kernel, initrd and disk of a machine.
# Standard input: a tar of its files. Argument: the folder for what is made.
set -eu

out=$1
root=$(mktemp -d)
tar -xf - -C "$root" --exclude=./dev --exclude=dev
mkdir -p "$root/dev" "$root/proc" "$root/sys" "$root/run"
# Docker binds its own over these.
echo localhost >"$root/etc/hostname"
echo '127.0.0.1 localhost' >"$root/etc/hosts"
rm -f "$root/etc/resolv.conf" "$root/.dockerenv"
: >"$root/etc/resolv.conf"

kernel=$(basename "$root"/lib/modules/*)
cp "$root/boot/vmlinuz-$kernel" "$out/vmlinuz"

initrd=$(mktemp -d)
mkdir -p "$initrd/bin" "$initrd/modules"
cp "$root/usr/bin/busybox" "$initrd/bin/"
install -m 755 "$(dirname "$0")/init.sh" "$initrd/init"
number=10
# modprobe tells each module after those that it needs.
modprobe -d "$root" -S "$kernel" -D virtio_blk | while read -r what file _; do
  [ "$what" = insmod ] || continue
  name=$(basename "$file")
  case $file in
  *.xz) xz -dc "$file" >"$initrd/modules/$number-${name%.xz}" ;;
  *) cp "$file" "$initrd/modules/$number-$name" ;;
  esac
  number=$((number + 1))
done
(cd "$initrd" && find . | busybox cpio -o -H newc 2>/dev/null) | gzip -1 >"$out/initrd"

mke2fs -q -F -t ext4 -E lazy_itable_init=1,nodiscard -d "$root" -L root "$out/disk.raw" 8G
qemu-img convert -O qcow2 "$out/disk.raw" "$out/disk.qcow2"
rm "$out/disk.raw"
chmod 644 "$out"/*
