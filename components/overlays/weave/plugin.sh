#!/bin/sh
# The plugin by which Docker reaches Weave's router: goes before weave.sh, which says where the router's socket is, and is given
#   PLUGIN (its name)
# Says in `changed` that it changed something.
set -eu

runtime=""

docker_cli() { timeout 60 docker "$@" 2>"$LOG"; }

# Changed with what is in the plugin: by it a host's plugin is known to be up to date.
plugin_text="The socket of Weave's router on this host, 1"

# The network driver of a swarm must be a plugin that Docker itself manages; this one only says where the router's socket is. Docker
# follows the link outside of the plugin, so nothing of the router goes into it, and nothing secret can be read from it.
plugin() {
  if ! plugin_there; then
    make_plugin
  elif [ "$described" != "$plugin_text" ]; then
    say "replacing Docker's plugin $PLUGIN"
    docker_cli plugin disable -f "$PLUGIN" >/dev/null || true
    docker_cli plugin rm -f "$PLUGIN" >/dev/null || die "Docker's plugin $PLUGIN cannot be replaced: $(tail -n 1 "$LOG")"
    make_plugin
  fi
  if plugin_there && [ "$enabled" = true ] && plugin_answers; then return 0; fi
  changed=true
  # Docker remembers what it heard of a plugin once; one that was enabled before its router ran stays deaf.
  if [ "$enabled" = true ]; then docker_cli plugin disable -f "$PLUGIN" >/dev/null || true; fi
  docker_cli plugin enable "$PLUGIN" >/dev/null || die "Docker cannot use its plugin $PLUGIN: $(tail -n 1 "$LOG")"
}

plugin_there() {
  if inspected=$(docker_cli plugin inspect -f '{{.Enabled}} {{.Id}} {{.Config.Description}}' "$PLUGIN"); then
    enabled=${inspected%% *}
    described=${inspected#* * }
    id=${inspected#* }
    id=${id%% *}
    return 0
  fi
  if grep -Eqi 'not found|no such plugin' "$LOG"; then return 1; fi
  die "Docker does not say whether it has the plugin $PLUGIN: $(tail -n 1 "$LOG")"
}

# Where Docker keeps its sockets elsewhere, nothing can be said.
plugin_answers() {
  if [ ! -d "/run/docker/plugins/$id" ]; then return 0; fi
  curl -sf --max-time 10 -o /dev/null -X POST --unix-socket "/run/docker/plugins/$id/weave.sock" http://plugin/NetworkDriver.GetCapabilities
}

make_plugin() {
  # shellcheck disable=SC2034  # of weave.sh
  changed=true
  source=$(mktemp -d)
  mkdir -p "$source/rootfs/run/docker/plugins"
  mounts=""
  # A shell and what it needs, as this host has them.
  for part in usr bin lib lib64; do
    if [ -L "/$part" ]; then
      cp -P "/$part" "$source/rootfs/$part"
    elif [ -d "/$part" ]; then
      mkdir "$source/rootfs/$part"
      mounts="$mounts,{\"name\":\"$part\",\"source\":\"/$part\",\"destination\":\"/$part\",\"type\":\"bind\",\"options\":[\"rbind\",\"ro\"],\"settable\":[]}"
    fi
  done
  entry="ln -sfn $runtime/driver.sock /run/docker/plugins/weave.sock; trap 'exit 0' TERM; while :; do sleep 3600 & wait; done"
  cat >"$source/config.json" <<END
{"description":"$plugin_text","documentation":"","entrypoint":["/bin/sh","-c","$entry"],"workdir":"/",
"interface":{"types":["docker.networkdriver/1.0"],"socket":"weave.sock"},"network":{"type":"none"},"linux":{"capabilities":[]},
"env":[],"args":{"name":"args","description":"","settable":[],"value":[]},"propagatedMount":"","mounts":[${mounts#,}]}
END
  created=true
  docker_cli plugin create "$PLUGIN" "$source" >/dev/null || created=false
  rm -rf "$source"
  "$created" || die "Docker does not take the plugin $PLUGIN: $(tail -n 1 "$LOG")"
}

remove_plugin() {
  command -v docker >/dev/null 2>&1 || return 0
  if ! plugin_there; then return 0; fi
  docker_cli plugin disable -f "$PLUGIN" >/dev/null || true
  docker_cli plugin rm -f "$PLUGIN" >/dev/null || die "Docker's plugin $PLUGIN cannot be removed: $(tail -n 1 "$LOG")"
}
