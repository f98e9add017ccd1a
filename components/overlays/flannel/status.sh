#!/bin/sh
# How flannel and its etcd are on this host. It only reads, and prints certificates without their keys. Its beginning is seen.sh.
#   status   Result: the states of their units, whether flanneld has written its subnet, whether the table is loaded that keeps networks apart, what the members of etcd are and which of them answer (of a
#            host with one), and certificates by name, in base64
base=/etc/pulumi-swarm/flannel
own=/var/lib/pulumi-swarm/flannel/etcd
run=/run/pulumi-swarm-flannel

# A text as JSON has it.
text() { awk '{ gsub(/[\\"]/, "\\\\&"); gsub(/\t/, "\\t"); printf "%s%s", (NR > 1 ? "\\n" : ""), $0 }'; }

# Towards its own member alone, unless told otherwise. Some calls that are refused go on for ever, whatever etcdctl is told.
ctl() {
  ETCDCTL_API=3 ETCDCTL_ENDPOINTS=https://127.0.0.1:2379 ETCDCTL_CACERT=$base/ca.pem ETCDCTL_CERT=$base/admin.pem \
    ETCDCTL_KEY=$base/admin.pem timeout 8 "$(cat "$base/etcd/programs")/etcdctl" --dial-timeout=2s --command-timeout=3s "$@"
}

# What etcdctl says of a failure, without its log lines.
why() { grep -v '^{' | tail -n 1 | sed 's/^Error: //' | cut -c 1-200 | text; }

etcd() {
  if [ ! -e "$base/etcd/programs" ] || [ ! -d "$own" ]; then
    echo null
  elif members=$(ctl member list 2>&1); then
    printf '{"members":"%s","alive":"%s"}' "$(echo "$members" | text)" "$({ ctl endpoint status --cluster 2>/dev/null || true; } | text)"
  else
    printf '{"silent":"%s"}' "$(echo "$members" | why)"
  fi
}

certificate() { sed -n '/BEGIN CERTIFICATE/,/END CERTIFICATE/p' "$1" 2>/dev/null | sed '/END CERTIFICATE/q' | base64 | tr -d '\n'; }
certificates() {
  for name in ca host admin server peer; do
    case "$name" in server | peer) file=$own/tls/$name.pem ;; *) file=$base/$name.pem ;; esac
    if [ -e "$file" ]; then printf '"%s":"%s"\n' "$name" "$(certificate "$file")"; fi
  done | paste -s -d , -
}

case "$1" in
  status)
    if [ -s "$run/subnet.env" ]; then subnet=true; else subnet=false; fi
    printf '{"flannel":"%s","etcd":"%s","subnet":%s,"apart":%s,"cluster":%s,"certificates":{%s}}\n' "$(unit_state pulumi-swarm-flannel)" \
      "$(unit_state pulumi-swarm-flannel-etcd)" "$subnet" "$(apart flannel)" "$(etcd)" "$(certificates)"
    ;;
  *)
    echo "unknown verb $1" >&2
    exit 1
    ;;
esac
