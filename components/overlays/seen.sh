#!/bin/sh
# Goes before scripts that tell how an overlay is on a host.
set -eu
export LC_ALL=C

flag() { if "$@" >/dev/null 2>&1; then echo true; else echo false; fi; }
unit_state() { systemctl is-active "$1.service" 2>/dev/null || true; }
# Whether an overlay's table is loaded, which keeps networks apart.
apart() { flag nft list table inet "pulumi_swarm_$1"; }
