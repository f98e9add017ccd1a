#!/bin/sh
# In a container of the host image: makes of it what a machine with a kernel of its own has on its disk.
# Arguments: packages, as apt-get takes them.
set -eu

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "$@"

# A container has no use for it, a machine loads its modules with it.
rm /etc/systemd/system/systemd-modules-load.service
# It has the outer machine's by Docker otherwise.
mkdir -p /etc/systemd/network
cat >/etc/systemd/network/lab.network <<'END'
[Match]
Driver=virtio_net
[Network]
Address=192.0.2.1/24
LinkLocalAddressing=no
END
systemctl -q enable systemd-networkd.service
# A test that wants one of them starts it: they would cost each boot seconds.
systemctl -q disable openvswitch-switch.service systemd-resolved.service unattended-upgrades.service uuidd.socket
touch /etc/cloud/cloud-init.disabled
# netplan has it clean up an Open vSwitch that is not turned on, which fails.
systemctl -q mask netplan-ovs-cleanup.service
# Whoever makes a machine gives it another; without one sshd does not start.
ssh-keygen -q -t ed25519 -N '' -C '' -f /etc/ssh/ssh_host_ed25519_key
echo '/dev/vda / ext4 defaults 0 0' >/etc/fstab
rm -rf /var/lib/apt/lists/* /usr/share/doc /usr/share/man
