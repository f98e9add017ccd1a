#!/bin/sh
# How BIRD of this host is. It only reads.
#   status   Result: the state of its unit, whether it answers, whether the table is loaded that keeps networks apart, and each session with what BIRD says of it: key (of a router outside the
#            cluster peer:NAME), state, what it heard last
set -eu
export LC_ALL=C

socket=/run/pulumi-swarm-calico/bird.ctl

# name BGP table state since info: in a JSON string, a line each.
sessions() {
  awk '$2 == "BGP" { for (i = 6; i <= NF; i++) info = info (i > 6 ? " " : "") $i; print $1, (info == "" ? $4 : info); info = "" }' |
    tr -d "\"\\\\'" | tr -d '\000-\011\013-\037' | sed 's/.*/"&"/' | paste -s -d , -
}

apart() { if nft list table inet pulumi_swarm_calico >/dev/null 2>&1; then echo true; else echo false; fi; }

case "$1" in
  status)
    state=$(systemctl is-active pulumi-swarm-calico.service 2>/dev/null || true)
    answers=true
    list=$(timeout 5 birdc -r -s "$socket" show protocols 2>/dev/null) || answers=false
    printf '{"unit":"%s","answers":%s,"apart":%s,"sessions":[%s]}\n' "$state" "$answers" "$(apart)" "$(echo "$list" | sessions)"
    ;;
  *)
    echo "unknown verb $1" >&2
    exit 1
    ;;
esac
