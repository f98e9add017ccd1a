#!/bin/sh
# Looks for firewalls beside this package's on a host, and changes nothing. The result is one JSON object on the last line.
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
firewalld_closes() { systemctl is-active --quiet firewalld.service && [ "$(firewall-cmd --get-default-zone)" != trusted ]; }
flushes() { systemctl is-enabled --quiet nftables.service && grep -Eq '^[[:space:]]*flush[[:space:]]+ruleset' /etc/nftables.conf; }

list=$(drops | sort -u | tr -cd 'A-Za-z0-9 _.\n-' | sed 's/.*/"&"/' | paste -sd, -)
printf '{"drops":[%s],"ufw":%s,"firewalld":%s,"firewalldCloses":%s,"nftablesEnabled":%s,"flushes":%s,"ours":%s}\n' "$list" \
  "$(flag ufw_is_on)" "$(flag systemctl is-active --quiet firewalld.service)" "$(flag firewalld_closes)" \
  "$(flag systemctl is-enabled --quiet nftables.service)" "$(flag flushes)" "$(flag test -e /etc/pulumi-swarm/firewall.nft)"
