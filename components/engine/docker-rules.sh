#!/bin/sh
# Whether Docker's own rules of iptables are there. It only reads, and goes before scripts that ask.

# Docker makes these when it starts, and never again. Somebody may have taken them away since, as `nft flush ruleset` does, or the ways
# into them, as `iptables -F` does. The chain of published ports is there only once one was published.
tables_without_rules() {
  command -v iptables >/dev/null 2>&1 || return 0
  for table in nat filter; do
    rules=$(iptables -w 10 -t "$table" -S 2>/dev/null) || true
    leads_to "$rules" DOCKER && { ! has_chain "$rules" DOCKER-INGRESS || leads_to "$rules" DOCKER-INGRESS; } || echo "$table"
  done
}
has_chain() { printf '%s\n' "$1" | grep -qx -e "-N $2"; }
leads_to() { has_chain "$1" "$2" && printf '%s\n' "$1" | grep -q -e "-j $2\$"; }
