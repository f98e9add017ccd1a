#!/bin/sh
# Docker's apt repository as far as the lab needs it, in /repository of a container of a host's image. Docker's own cannot be reached from
# everywhere, so its packages are made of those of a newer Debian: the same programs under the names and versions that Docker gives them.
# One version more has an engine that never starts.
#   BROKEN  its version
set -eu

suite=trixie
newer=forky
repository=/repository
pool=$repository/debian/dists/$suite/pool
architecture=$(dpkg --print-architecture)

mirror=$(grep -rhoE 'https?://[^ ]+' /etc/apt/sources.list /etc/apt/sources.list.d | head -n 1)
echo "deb $mirror $newer main" >/etc/apt/sources.list.d/newer.list
# A mirror's list of a release in the making may be past its date; its signature is checked all the same.
apt-get -qq -o Acquire::Check-Valid-Until=false update
work=$(mktemp -d)
cd "$work"
apt-get -qq -o APT::Sandbox::User=root download docker.io/$newer docker-cli/$newer containerd/$newer runc/$newer >/dev/null 2>&1
apt-get -qq install --no-install-recommends gpg gpg-agent >/dev/null 2>&1
mkdir -p "$pool"

# NAME VERSION DEPENDS CONFLICTS UNITS FOLDER: what the packages' own scripts do with the units, as Docker's packages have it.
pack() {
  mkdir -p "$6/DEBIAN"
  {
    printf 'Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: the lab <lab@example.com>\nDescription: Docker, repacked\n' "$1" "$2" "$architecture"
    [ -z "$3" ] || printf 'Depends: %s\n' "$3"
    [ -z "$4" ] || printf 'Conflicts: %s\nReplaces: %s\n' "$4" "$4"
  } >"$6/DEBIAN/control"
  if [ -n "$5" ]; then
    printf '#!/bin/sh\nset -e\nsystemctl daemon-reload\nsystemctl enable %s >/dev/null 2>&1\ndeb-systemd-invoke restart %s || true\n' "$5" "$5" >"$6/DEBIAN/postinst"
    # It is the script that asks for its argument.
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nset -e\n[ "$1" = upgrade ] || deb-systemd-invoke stop %s\n' "$5" >"$6/DEBIAN/prerm"
    chmod 0755 "$6/DEBIAN/postinst" "$6/DEBIAN/prerm"
  fi
  dpkg-deb --root-owner-group -Zgzip -z1 -b "$6" "$pool/$1_$(echo "$2" | sed 's/^[0-9]*://')_$architecture.deb" >/dev/null
}

version=$(dpkg-deb -f docker.io_*.deb Version | sed 's/[+~-].*//')
of_docker() { echo "5:$1-1~debian.13~$suite"; }

for name in docker.io docker-cli containerd runc; do dpkg-deb -x "$name"_*.deb "$name"; done
cp -a runc/. containerd/
rm -rf docker.io/etc/init.d docker.io/usr/share containerd/usr/share docker-cli/usr/share/doc
pack containerd.io "$(dpkg-deb -f containerd_*.deb Version | sed 's/[+~-].*//')-1~debian.13~$suite" "libseccomp2" "containerd, runc" containerd.service containerd
pack docker-ce-cli "$(of_docker "$version")" "" docker-cli "" docker-cli
pack docker-ce "$(of_docker "$version")" "containerd.io, docker-ce-cli, iptables" docker.io "docker.socket docker.service" docker.io
printf '#!/bin/sh\necho "failed to start daemon: this engine never starts" >&2\nexit 1\n' >docker.io/usr/sbin/dockerd
pack docker-ce "$(of_docker "$BROKEN")" "containerd.io, docker-ce-cli, iptables" docker.io "docker.socket docker.service" docker.io
pack docker-ce-cli "$(of_docker "$BROKEN")" "" docker-cli "" docker-cli

cd "$repository/debian"
index=dists/$suite/stable/binary-$architecture
mkdir -p "$index"
for package in "dists/$suite/pool"/*.deb; do
  dpkg-deb -f "$package"
  printf 'Filename: %s\nSize: %s\nSHA256: %s\n\n' "$package" "$(stat -c %s "$package")" "$(sha256sum "$package" | cut -d ' ' -f 1)"
done >"$index/Packages"
cd "dists/$suite"
{
  printf 'Origin: the lab\nSuite: %s\nCodename: %s\nArchitectures: %s\nComponents: stable\nDate: %s\nSHA256:\n' "$suite" "$suite" "$architecture" "$(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S UTC')"
  find stable -type f -exec sh -c 'for file; do echo " $(sha256sum "$file" | cut -d " " -f 1) $(stat -c %s "$file") $file"; done' sh {} +
} >Release
GNUPGHOME=$(mktemp -d)
export GNUPGHOME
gpg --batch --quiet --passphrase '' --quick-generate-key 'the lab' ed25519 sign never
gpg --batch --quiet --clearsign -o InRelease Release
gpg --batch --quiet --armor --export >"$repository/debian/gpg"
echo "$version"
