#!/bin/sh
# Weave's router of one host, as its unit runs it.
#   run      becomes the router
#   ready    waits for it to answer
#   heal     makes good what Docker missed while it was down
#   started  prints what a router that starts now runs with: a password's label, a checksum of everything, and one of the password
set -eu

folder=/etc/pulumi-swarm/weave
runtime=/run/pulumi-swarm-weave

read_settings() {
  # shellcheck source=/dev/null
  . "$folder/settings"
}

is_link() { [ -e "/sys/class/net/$1" ]; }

# Containers hang on the bridge, so its kind stays until the next reboot; a router that is told otherwise refuses to start.
has_fast_datapath() {
  if is_link weave; then is_link datapath; return; fi
  [ "$FAST" = true ] || return 1
  modprobe -q -a openvswitch vxlan 2>/dev/null || true
  genl ctrl get name ovs_datapath 2>/dev/null | grep -q ovs_datapath
}

# Also the hardware address of the bridge, so there is another one after each boot. The others hold a host that lost power, or a machine
# that is lost, for connected for a minute, and turn most calls of one that comes with the same name away until then.
name() {
  if is_link weave; then
    cat /sys/class/net/weave/address
  else
    # Locally administered, of one station.
    od -An -N5 -tx1 /dev/urandom | sed 's/^ */02:/; s/ *$//; s/ /:/g'
  fi
}

started() {
  cat "$folder/label"
  cat "$UNIT_FILE" "$folder/router" "$folder/settings" "$folder/password" | sha256sum
  sha256sum <"$folder/password"
}

run() {
  # Found there, it makes the router ignore the peers that it is given.
  rm -f "$runtime/restart.sentinel"
  started >"$runtime/started"
  WEAVE_PASSWORD=$(cat "$folder/password")
  # Nobody is to be told that there is a router here.
  CHECKPOINT_DISABLE=1
  export WEAVE_PASSWORD CHECKPOINT_DISABLE
  if has_fast_datapath; then
    # One that was left behind without its bridge would be refused.
    if is_link datapath && ! is_link weave; then ip link add weave type bridge; fi
    set -- --datapath=datapath
  else
    set -- --no-fastdp
  fi
  if [ -n "$TRUSTED" ]; then set -- "$@" "--trusted-subnets=$TRUSTED"; fi
  # One word for each peer.
  # shellcheck disable=SC2046
  exec "$PROGRAM" "$@" --host="$HOST" --port="$PORT" --name="$(name)" --nickname="$NICKNAME" --mtu="$MTU" \
    --http-addr=127.0.0.1:6784 --no-dns --no-discovery --db-prefix=/var/lib/pulumi-swarm/weave/ \
    --docker-api= --plugin-v2 --plugin-socket="$runtime/driver.sock" --plugin-mesh-socket= $(cat "$folder/peers")
}

ready() {
  tries=0
  until [ -S "$runtime/driver.sock" ] && curl -sf --max-time 2 -o /dev/null http://127.0.0.1:6784/status; do
    tries=$((tries + 1))
    # systemd would wait for this command, though the router is gone.
    if ! kill -0 "$MAINPID" 2>/dev/null || [ "$tries" -ge 300 ]; then exit 1; fi
    sleep 0.1
  done
  # Those that were there before keep the MTU they were made with; containers take the bridge's.
  for link in vethwe-bridge vethwe-pcap vethwe-datapath datapath weave; do
    if is_link "$link"; then ip link set dev "$link" mtu "$MTU" || true; fi
  done
}

# Docker disables a plugin that does not answer when Docker starts, and then waits with all its tasks.
heal() {
  systemctl is-active --quiet docker.service || return 0
  enabled=$(timeout 20 docker plugin inspect -f '{{.Enabled}}' "$PLUGIN" 2>/dev/null) || return 0
  if [ "$enabled" = true ]; then return 0; fi
  timeout 60 docker plugin enable "$PLUGIN" >/dev/null
  # Docker waits for this unit, of which this is a part.
  if leads && gave_networks_up; then systemctl restart --no-block docker.service; fi
}

leads() { [ "$(timeout 20 docker node inspect -f '{{.ManagerStatus.Leader}}' self 2>/dev/null)" = true ]; }

# A manager that begins to lead without the plugin allocates no addresses in its networks, and does not try again: all new tasks in them wait
# until another manager leads, or Docker starts again.
gave_networks_up() {
  started=$(systemctl show -p InvocationID --value docker.service)
  journalctl -q -o cat "_SYSTEMD_INVOCATION_ID=$started" 2>/dev/null | grep -q 'failed allocating network .* during init'
}

case "$1" in
  run) read_settings; run ;;
  ready) read_settings; ready ;;
  heal) read_settings; heal ;;
  started) read_settings; started ;;
  *) echo "unknown verb $1" >&2; exit 1 ;;
esac
