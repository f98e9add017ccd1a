#!/bin/sh
# Looks at a host without changing anything. The result is one JSON object on the last line.
set -eu

has() { command -v "$1" >/dev/null 2>&1; }
flag() { if "$@" >/dev/null 2>&1; then echo true; else echo false; fi; }

# The kernel may have a feature built in, loaded, or loadable: only trying tells. The namespace takes it away again.
makes_vxlan() { unshare -n ip link add psprobe type vxlan id 77 dstport 4789; }
has_ipvs() { test -d /proc/sys/net/ipv4/vs || modprobe ip_vs; }
# Words for a JSON string: nothing but plain characters is let through.
plain() { tr -cd 'A-Za-z0-9 ._:/+~-'; }

# A machine that just booted is still starting its engine: that is not the same as having none.
tries=0
while [ "$(systemctl is-active docker.service 2>/dev/null || true)" = activating ] && [ "$tries" -lt 60 ]; do
  tries=$((tries + 1))
  sleep 0.5
done

engine=""
if has docker; then
  engine=$(docker version --format '{{.Server.Version}} {{.Server.APIVersion}}' 2>/dev/null | plain || true)
fi
# shellcheck source=/dev/null
distribution=$(if [ -r /etc/os-release ]; then . /etc/os-release; fi; echo "${ID:-} ${VERSION_CODENAME:-}" | plain)
# /var/lib/docker need not exist yet.
disk=$(df -Pk /var/lib/docker 2>/dev/null || df -Pk /var/lib)

printf '{"engine":"%s","cli":%s,"distribution":"%s","apt":%s,"systemd":%s,"vxlan":%s,"ipvs":%s,"epoch":%s,"freeKilobytes":%s,"hostname":"%s"}\n' \
  "$engine" "$(flag has docker)" "$distribution" "$(flag has apt-get)" "$(flag test -d /run/systemd/system)" \
  "$(flag makes_vxlan)" "$(flag has_ipvs)" "$(date +%s)" "$(echo "$disk" | awk 'NR == 2 { print $4 }')" \
  "$(plain </proc/sys/kernel/hostname)"
