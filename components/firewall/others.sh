#!/bin/sh
# Looks for firewalls beside this package's on a host, and changes nothing. The result is one JSON object on the last line.
#   look    prints it
#   probe   nothing: its function is asked by the script after it
set -eu

has() { command -v "$1" >/dev/null 2>&1; }
flag() { if "$@" >/dev/null 2>&1; then echo true; else echo false; fi; }

# What nft lists on standard input, but Docker's and ours: each chain before the host, or before what it forwards, that drops whatever
# comes to its end. Docker's is the forwarding of iptables.
nft_drops() {
  awk '
    /^table / { table = $2 " " $3 }
    /^\tchain / { hook = "" }
    /^\t\ttype filter hook (input|forward) / { hook = $4; drops = /policy drop;/; closed = drops; next }
    /^\t\t[^ ]/ { sub(/ comment ".*"$/, ""); closed = /^\t\t(counter packets [0-9]+ bytes [0-9]+ )?(log .*)?(drop|reject.*|xt target "(DROP|REJECT)")$/ }
    /^\t}/ && hook != "" && (drops || closed) {
      if (table !~ /^inet pulumi_swarm/ && !(hook == "forward" && table ~ /^ip6? filter$/)) print table " " hook
      hook = ""
    }
  '
}

# PROGRAM FAMILY: the same of what iptables lists as commands.
iptables_drops() {
  if [ "$("$1" -w 5 -S INPUT 2>/dev/null | awk '/^-P/ { policy = $3 } /^-A/ { last = $0 } END { print (policy == "DROP" || last ~ /^-A INPUT -j (DROP|REJECT)/) ? "drops" : "" }')" = drops ]; then
    echo "$2 filter input"
  fi
}

# Where the older tables are in use; to ask for them would load their modules.
older() { [ -s "/proc/net/$1" ] && has "$2"; }

drops() {
  if has nft; then
    nft -t list ruleset 2>/dev/null | nft_drops
  else
    if has iptables; then iptables_drops iptables ip; fi
    if has ip6tables; then iptables_drops ip6tables ip6; fi
  fi
  if older ip_tables_names iptables-legacy; then iptables_drops iptables-legacy ip; fi
  if older ip6_tables_names ip6tables-legacy; then iptables_drops ip6tables-legacy ip6; fi
}

ufw_is_on() { grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf; }
# In zone trusted everything is accepted, before what drops at the end.
firewalld_closes() { [ "$(firewall-cmd --get-default-zone)" != trusted ]; }
flushes() { grep -Eq '^[[:space:]]*flush[[:space:]]+ruleset' /etc/nftables.conf; }

# UNIT: whether something wants it at boot
is_wanted() {
  for link in /etc/systemd/system/*/"$1" /run/systemd/system/*/"$1" /usr/lib/systemd/system/*/"$1" /lib/systemd/system/*/"$1"; do
    if [ -e "$link" ]; then
      systemctl is-enabled --quiet "$1" 2>/dev/null
      return
    fi
  done
  return 1
}

# One JSON object. Who is not installed is not asked: each question to systemd takes as long as ten other commands.
other_firewalls() {
  ufw=false
  if [ -e /etc/ufw/ufw.conf ]; then ufw=$(flag ufw_is_on); fi
  firewalld=false
  firewalld_closes=false
  if has firewall-cmd && systemctl is-active --quiet firewalld.service; then
    firewalld=true
    firewalld_closes=$(flag firewalld_closes)
  fi
  nftables=false
  flushes=false
  if is_wanted nftables.service; then
    nftables=true
    flushes=$(flag flushes)
  fi
  list=$(drops)
  if [ -n "$list" ]; then list=$(echo "$list" | sort -u | tr -cd 'A-Za-z0-9 _.\n-' | sed 's/.*/"&"/' | paste -sd, -); fi
  ours=false
  if [ -e /etc/pulumi-swarm/firewall.nft ]; then ours=true; fi
  printf '{"drops":[%s],"ufw":%s,"firewalld":%s,"firewalldCloses":%s,"nftablesEnabled":%s,"flushes":%s,"ours":%s}\n' \
    "$list" "$ufw" "$firewalld" "$firewalld_closes" "$nftables" "$flushes" "$ours"
}

case "$1" in
  look) other_firewalls ;;
  probe) ;;
  *) echo "unknown verb $1" >&2; exit 1 ;;
esac
