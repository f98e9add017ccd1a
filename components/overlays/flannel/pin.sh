#!/bin/sh
# Before each start of flanneld: the host's subnet is its own in etcd, or flanneld does not start. By itself it would take any
# other that is free. And its device has an address that follows from the subnet.
#   PIN_KEY, PIN_ADDRESS, BACKEND, ETCDCTL, and what etcdctl takes from its environment
set -eu

# A transaction that is refused goes on for ever, whatever etcdctl is told.
ctl() { timeout 10 "$ETCDCTL" --dial-timeout=3s --command-timeout=5s "$@" 2>&1; }

# What TLS says, which etcdctl keeps to itself.
tls_says() {
  command -v openssl >/dev/null 2>&1 || return 0
  server=${ETCDCTL_ENDPOINTS%%,*}
  sleep 1 | timeout 5 openssl s_client -connect "${server#https://}" -CAfile "$ETCDCTL_CACERT" -cert "$ETCDCTL_CERT" -key "$ETCDCTL_KEY" \
    -verify_return_error 2>&1 | grep -iE 'alert|verify error' | head -n 1 | sed 's/.*:\(tls[^:]*\|ssl[^:]*alert [^:]*\):.*/\1/; s/^verify error://'
}

# etcdctl's own message among its log lines.
explain() {
  reason=$1
  case "$reason" in
    *"permission denied"* | *"user name is empty"* | *"invalid auth"* | *"user name not found"*)
      echo "etcd knows this host's certificate, but does not let it write its subnet: it is not one of the cluster's, or not any more" ;;
    *)
      tls=$(tls_says || true)
      if [ -n "$tls" ]; then echo "etcd and this host do not take each other's certificates: $tls"
      else echo "etcd gives no answer ($ETCDCTL_ENDPOINTS): $(echo "$reason" | tail -n 1)"; fi ;;
  esac >&2
  exit 1
}

holder=$(ctl get --print-value-only "$PIN_KEY") || explain "$holder"
if [ -z "$holder" ]; then
  # Quoted as etcdctl reads it: with other quotes it stores something else without a word.
  said=$(printf 'create("%s") = "0"\n\nput %s "{\\"PublicIP\\":\\"%s\\"}"\n\n\n' "$PIN_KEY" "$PIN_KEY" "$PIN_ADDRESS" | ctl txn) || explain "$said"
  holder=$(ctl get --print-value-only "$PIN_KEY") || explain "$holder"
fi
case "$holder" in
  *"\"PublicIP\":\"$PIN_ADDRESS\""*) ;;
  *)
    echo "the subnet ${PIN_KEY##*/} of this host is held by another one in etcd: $(echo "$holder" | sed 's/.*"PublicIP":"\([^"]*\)".*/\1/')" >&2
    exit 1
    ;;
esac

# By itself flanneld makes its device with another address at each boot, and the others hear of that by etcd. One that watches at a manager
# which lost power hears nothing any more: flannel's client asks for no keep-alive (pkg/subnet/etcd/registry.go, newEtcdClient), and Linux's own
# begins after two hours. A device that is there, it takes as it is (pkg/backend/vxlan/device.go, ensureLink).
if [ "$BACKEND" = vxlan ] && [ ! -e /sys/class/net/flannel.1 ]; then
  mac=$(echo "${PIN_KEY##*/}" | awk -F '[.-]' '{ printf "02:fa:%02x:%02x:%02x:%02x", $1, $2, $3, $4 }')
  link=$(ip -o -4 address show | awk -v at="$PIN_ADDRESS" '{ split($4, part, "/"); if (part[1] == at) { print $2; exit } }')
  ip link add flannel.1 address "$mac" type vxlan id 1 dev "$link" local "$PIN_ADDRESS" dstport 8472 nolearning ||
    echo "flanneld makes its device by itself" >&2
fi
