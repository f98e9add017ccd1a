#!/bin/sh
# Looks at a host without changing anything. The result is one JSON object on the last line.
#   LOOK_FOR   words for what else may be asked: ipsec and macvlan of the kernel, which loads its modules, so only when asked; openvswitch
#   ALSO       functions of other files, which stand before this one. Each prints what it sees as JSON: one look is one command.
set -eu

has() { command -v "$1" >/dev/null 2>&1; }
flag() { if "$@" >/dev/null 2>&1; then echo true; else echo false; fi; }

# The kernel may have a feature built in, loaded, or loadable: only trying tells. The namespace takes it away again.
makes_vxlan() { unshare -n ip link add psprobe type vxlan id 77 dstport 4789; }
has_ipvs() { test -d /proc/sys/net/ipv4/vs || modprobe ip_vs; }
# The one algorithm that Docker uses, with a key that nobody keeps.
makes_esp() {
  key=0x$(od -An -N20 -tx1 /dev/urandom | tr -d ' \n')
  unshare -n ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 1 mode transport aead 'rfc4106(gcm(aes))' "$key" 64
}
makes_macvlan() { unshare -n sh -c 'ip link add psprobe0 type veth peer name psprobe1 && ip link add link psprobe0 type macvlan mode bridge'; }
# By iptables, as Docker does it; where that comes only with Docker, by the module.
matches_bpf() { if has iptables; then unshare -n iptables -w 5 -A INPUT -m bpf --bytecode '1,6 0 0 4294967295'; else modprobe xt_bpf; fi; }
matches_u32() { if has iptables; then unshare -n iptables -w 5 -A INPUT -m u32 --u32 0=0; else modprobe xt_u32; fi; }
# What cloud-init is at, from when systemd starts to boot until the last of its units has ended. sshd answers long before that.
cloud_init() {
  if [ ! -d /run/cloud-init ]; then return 0; fi
  # What this package itself asked a machine on EC2 for tries for minutes where the agent is not to be had, and is no reason to wait.
  if grep -qs amazon-ssm-agent /var/lib/cloud/instance/scripts/runcmd; then return 0; fi
  systemctl list-jobs --no-legend --plain 'cloud-*' 2>/dev/null | awk '
    $1 ~ /^[0-9]+$/ { if (first == "") first = $2; if ($NF == "running" && now == "") now = $2 }
    END { print (now == "" ? first : now) }'
}

# TEXT: for a JSON string: nothing but plain characters is let through.
plain() {
  case $1 in
    *[!A-Za-z0-9\ ._:/+~-]*) printf '%s' "$1" | tr -cd 'A-Za-z0-9 ._:/+~-' ;;
    *) printf '%s' "$1" ;;
  esac
}

# sshd may answer before systemd does: whatever asks it then meets "Failed to connect to system scope bus", and prints nothing.
engine_state() { systemctl is-active docker.service 2>/dev/null || true; }
state=$(engine_state)
tries=0
while [ -d /run/systemd/system ] && [ -z "$state" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 120 ] || {
    echo "its systemd does not answer after 60 s: the machine is still starting, or hangs. Run again when it has booted" >&2
    exit 1
  }
  sleep 0.5
  state=$(engine_state)
done

# What sets the machine up may turn on anything that is looked for here, so it is asked for before all of that.
setting_up=$(cloud_init)

# A machine that just booted is still starting its engine: that is not the same as having none. One that is being set up is looked at again.
tries=0
while [ -z "$setting_up" ] && [ "$state" = activating ] && [ "$tries" -lt 60 ]; do
  tries=$((tries + 1))
  sleep 0.5
  state=$(engine_state)
done

# shellcheck source=/dev/null
distribution=$(if [ -r /etc/os-release ]; then . /etc/os-release; fi; plain "${ID:-} ${VERSION_CODENAME:-${VERSION_ID:-}}")
swarm_nftables=false
if [ -e /etc/docker/daemon.json ] && grep -Eq '"swarm-nftables" *: *true' /etc/docker/daemon.json; then swarm_nftables=true; fi
# /var/lib/docker need not exist yet.
disk=$(df -Pk /var/lib/docker 2>/dev/null || df -Pk /var/lib)
read -r _ _ _ free _ <<EOF
${disk#*
}
EOF

asked_for() { case " ${LOOK_FOR:-} " in *" $1 "*) true ;; *) false ;; esac; }

ipsec=null
if asked_for ipsec; then
  ipsec=$(printf '{"esp":%s,"xtBpf":%s,"xtU32":%s}' "$(flag makes_esp)" "$(flag matches_bpf)" "$(flag matches_u32)")
fi
macvlan=null
if asked_for macvlan; then macvlan=$(flag makes_macvlan); fi
openvswitch=null
if asked_for openvswitch; then openvswitch=$(flag has ovs-vsctl); fi

# Each part of this package that keeps something here has a folder of its own.
folders=""
for each in /etc/pulumi-swarm/*; do
  if [ -d "$each" ]; then folders="$folders${folders:+,}\"$(plain "${each##*/}")\""; fi
done

# On any interface, up or not; a cloud's machine may have been started before it got its private one.
addresses=$(ip -o -4 addr show 2>/dev/null | while read -r _ _ _ address _; do printf ',"%s"' "${address%%/*}"; done)

also=""
for each in ${ALSO:-}; do
  seen=$("$each")
  also="$also${also:+,}\"$each\":$seen"
done

cli=false
if has docker; then cli=true; fi
apt=false
if has apt-get; then apt=true; fi
dnf=false
if has dnf; then dnf=true; fi
systemd=false
if [ -d /run/systemd/system ]; then systemd=true; fi
read -r hostname </proc/sys/kernel/hostname
printf '{"cli":%s,"swarmNftables":%s,"distribution":"%s","apt":%s,"dnf":%s,"systemd":%s,"settingUp":"%s","vxlan":%s,"ipvs":%s,"epoch":%s,"freeKilobytes":%s,"ipsec":%s,"macvlan":%s,"openvswitch":%s,"folders":[%s],"addresses":[%s],"hostname":"%s","also":{%s}}\n' \
  "$cli" "$swarm_nftables" "$distribution" "$apt" "$dnf" "$systemd" "$(plain "$setting_up")" \
  "$(flag makes_vxlan)" "$(flag has_ipvs)" "$(date +%s)" "$free" \
  "$ipsec" "$macvlan" "$openvswitch" "$folders" "${addresses#,}" "$(plain "$hostname")" "$also"
