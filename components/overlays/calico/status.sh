#!/bin/sh
# How BIRD of this host is. It only reads. Its beginning is seen.sh.
#   status   Result: the state of its unit, whether it answers, whether the table is loaded that keeps networks apart, and each session with what BIRD says of it: key (of a router outside the
#            cluster peer:NAME), state, what it heard last
socket=/run/pulumi-swarm-calico/bird.ctl

# name BGP table state since info: in a JSON string, a line each.
sessions() {
  awk '$2 == "BGP" { for (i = 6; i <= NF; i++) info = info (i > 6 ? " " : "") $i; print $1, (info == "" ? $4 : info); info = "" }' |
    tr -d "\"\\\\'" | tr -d '\000-\011\013-\037' | sed 's/.*/"&"/' | paste -s -d , -
}

case "$1" in
  status)
    answers=true
    list=$(timeout 5 birdc -r -s "$socket" show protocols 2>/dev/null) || answers=false
    printf '{"unit":"%s","answers":%s,"apart":%s,"sessions":[%s]}\n' "$(unit_state pulumi-swarm-calico)" "$answers" "$(apart calico)" "$(echo "$list" | sessions)"
    ;;
  *)
    echo "unknown verb $1" >&2
    exit 1
    ;;
esac
