#!/bin/sh
# Goes before scripts that write rules of nftables.

# A bridge may be the host's own way out.
not_uplinks() {
  ip -4 route show default | awk '{ for (i = 1; i < NF; i++) if ($i == "dev") printf "%s\"%s\"", (n++ ? ", " : " oifname != { "), $(i + 1) } END { if (n) printf " }" }'
}
