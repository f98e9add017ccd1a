#!/bin/sh
# First program of a container in which a virtual machine runs: joins it to the container's network, and becomes QEMU.
# Arguments: `make` for the one whose disk is the cached one, `run` for one of the lab; folder of what was made; memory in MB.
set -eu

verb=$1 made=$2 memory=$3
disk=$made/disk.qcow2
state=
seed=

network() {
  ip link add machines type bridge
  ip link set machines up
  if ip link show eth0 >/dev/null 2>&1; then
    ip address flush dev eth0
    ip link set eth0 master machines
  fi
  ip tuntap add machine mode tap vnet_hdr
  ip link set machine master machines
  ip link set machine up
}

# The container's own address tells each machine's from all others.
mac() {
  ip -4 -o address show dev eth0 2>/dev/null | sed -n 's/.* inet \([0-9.]*\).*/\1/p' | tr . ' ' | {
    read -r one two three four || true
    printf '52:54:%02x:%02x:%02x:%02x' "${one:-0}" "${two:-0}" "${three:-0}" "${four:-0}"
  }
}

address=$(cat /run/mac 2>/dev/null || mac)
echo "$address" >/run/mac
network
rm -f /run/agent.sock /run/monitor.sock
if [ "$verb" = run ]; then
  disk=/var/lib/machine/disk.qcow2
  # What booted once goes on from there; a machine that was stopped boots from its disk.
  if [ ! -e "$disk" ]; then
    qemu-img create -q -f qcow2 -b "$made/disk.qcow2" -F qcow2 "$disk"
    state="-incoming file:$made/state"
  fi
fi
# A second disk, by whose label cloud-init finds what a cloud tells a machine at its first boot.
if [ -d /seed ]; then
  seed="-blockdev driver=vvfat,node-name=seed,dir=/seed,label=CIDATA,read-only=on -device virtio-blk-pci,drive=seed"
fi

# shellcheck disable=SC2086 # words or none
exec qemu-system-x86_64 -M q35,sata=off,i8042=off -accel tcg,thread=multi -cpu max,-svm,-vmx -m "$memory" -smp 1 \
  -nodefaults -no-user-config -display none -serial stdio -qmp unix:/run/monitor.sock,server=on,wait=off \
  -kernel "$made/vmlinuz" -initrd "$made/initrd" -append "console=ttyS0 quiet loglevel=3" \
  -drive "if=none,id=disk,file=$disk,format=qcow2,cache=unsafe,aio=threads" -device virtio-blk-pci,drive=disk \
  -netdev tap,id=net,ifname=machine,script=no,downscript=no -device "virtio-net-pci,netdev=net,mac=$address" \
  -device virtio-serial-pci -chardev socket,id=agent,path=/run/agent.sock,server=on,wait=off \
  -device virtserialport,chardev=agent,name=org.qemu.guest_agent.0 \
  -device vmgenid,guid=auto -rtc base=utc $seed $state
