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
newline='
'
has_chain() { case "$newline$1$newline" in *"$newline-N $2$newline"*) ;; *) return 1 ;; esac; }
leads_to() { has_chain "$1" "$2" && case "$1$newline" in *" -j $2$newline"*) ;; *) return 1 ;; esac; }
