#!/bin/sh
# Another version of Docker for a host that has one. apt.sh, dnf.sh and
# packages.sh come before it. All verbs may be run again at any time.
#   fetch    SOURCE, VERSION, REPOSITORY: that version's packages on the disk, and those of the one that runs; installs nothing
#   replace  the same: installs them
#   hold     apt or dnf leaves Docker's packages alone, unattended upgrades too
#   release  it may change them again, if this package held them
set -eu

fetch() {
  settle_engine
  has_engine_package || is_replacing ||
    die "its Docker was not installed from packages of its system or of Docker, so it cannot be replaced from here: upgrade it by hand, or leave engine.version out"
  if [ "$SOURCE" = docker ]; then add_repository; fi
  read_repositories
  wanted=$(wanted_packages)
  before=true
  keep_present || before=false
  say "getting ${wanted%% *}"
  # shellcheck disable=SC2086
  download_packages $wanted || die "Docker $VERSION cannot be got: $(package_error)"
  printf '{"before":%s}\n' "$before"
}

replace() {
  settle_engine
  read_repositories
  replace_engine
  hold_packages
  printf '{"version":"%s"}\n' "$(engine_version)"
}

# A run that was cut off may have had no more to do than to say so.
hold() {
  if is_replacing && packages_settle && runs_installed; then end_replacing; fi
  hold_packages
  echo '{}'
}

case "$1" in
  fetch) fetch ;;
  replace) replace ;;
  hold) hold ;;
  release) release_packages; echo '{}' ;;
  *) die "unknown verb $1" ;;
esac
