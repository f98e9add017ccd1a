#!/bin/sh
# Docker's repository for dnf, as far as the lab needs it, in /repository of a container of a host's image: folders and names as Docker has them
# for CentOS 9. Docker's own cannot be reached from everywhere, so its packages are made of Debian's: the same programs, with the scripts
# that Docker's packages have. One version more has an engine that never starts, and takes its time to be installed.
#   BROKEN  its version
set -eu

repository=/repository
stable=$repository/centos/9/$(uname -m)/stable
mirror=$(grep -rhoE 'https?://[^ ]+' /etc/apt/sources.list /etc/apt/sources.list.d | head -n 1)
echo "deb $mirror forky main" >/etc/apt/sources.list.d/newer.list
# A mirror's list of a release in the making may be past its date; its signature is checked all the same.
apt-get -qq -o Acquire::Check-Valid-Until=false update
apt-get -qq install --no-install-recommends -t trixie rpm createrepo-c gpg gpg-agent >/dev/null 2>&1
work=$(mktemp -d)
cd "$work"
GNUPGHOME=$work/gpg
export GNUPGHOME
mkdir -m 0700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key 'the lab' rsa2048 sign never
mkdir -p "$stable"
gpg --batch --quiet --armor --export >"$repository/centos/gpg"

# NAME EPOCH VERSION FOLDER: spec on standard input, from Requires on.
pack() {
  { printf 'Name: %s\nEpoch: %s\nVersion: %s\nRelease: 1.el9\nSummary: Docker, repacked\nLicense: none\nAutoReqProv: no\n' "$1" "$2" "$3"; cat; } >"$1.spec"
  (cd "$4" && find . ! -type d | sed 's/^\.//') >"$1.files"
  printf '%%description\nof the lab\n%%install\ncp -a %s/. %%{buildroot}/\n%%files -f %s\n' "$work/$4" "$work/$1.files" >>"$1.spec"
  rpmbuild -bb --quiet --define "_rpmdir $work/rpms" --define '_binary_payload w1.gzdio' --define '_build_id_links none' --define '__os_install_post %{nil}' "$1.spec" >/dev/null
}

# NAME VERSION FOLDER: with the scripts of a service as systemd's macros write them for EL 8, which each system can run.
pack_service() {
  unit=$1
  if [ "$unit" = docker-ce ]; then unit=docker; else unit=containerd; fi
  epoch=0
  requires="Conflicts: containerd, runc"
  if [ "$unit" = docker ]; then
    epoch=3
    requires="Requires: docker-ce-cli, containerd.io"
  fi
  pack "$1" "$epoch" "$2" "$3" <<EOF
$requires
%post
if ! getent group docker >/dev/null; then groupadd --system docker; fi
$4
if [ \$1 -eq 1 ]; then systemctl --no-reload preset $unit.service >/dev/null 2>&1 || :; fi
%preun
if [ \$1 -eq 0 ]; then systemctl --no-reload disable --now $unit.service >/dev/null 2>&1 || :; fi
%postun
systemctl daemon-reload >/dev/null 2>&1 || :
if [ \$1 -ge 1 ]; then systemctl try-restart $unit.service >/dev/null 2>&1 || :; fi
EOF
}

all_of() {
  pack_service containerd.io "$(dpkg-deb -f "$1"/containerd_*.deb Version | sed 's/[+~-].*//')" "$1/containerd" ""
  pack docker-ce-cli 1 "$2" "$1/docker-cli" </dev/null
  pack_service docker-ce "$2" "$1/docker.io" "$3"
}

for suite in trixie forky; do
  mkdir "$suite"
  (
    cd "$suite"
    apt-get -qq -o APT::Sandbox::User=root download docker.io/$suite docker-cli/$suite containerd/$suite runc/$suite >/dev/null 2>&1
    for name in docker.io docker-cli containerd runc; do dpkg-deb -x "$name"_*.deb "$name"; done
    cp -a runc/. containerd/
    rm -rf docker.io/etc/init.d docker.io/etc/default docker.io/usr/share containerd/usr/share docker-cli/usr/share
  )
  version=$(dpkg-deb -f "$suite"/docker.io_*.deb Version | sed 's/[+~-].*//')
  all_of "$suite" "$version" ""
  echo "$version"
done
# The rest of the lab's image, as far as packages of rpm's ask for it, and something to be upgraded.
for version in 1 2; do
  mkdir -p base/etc
  echo "$version" >base/etc/lab-base
  echo "Provides: /bin/sh" | pack lab-base 0 "$version" base
done
printf '#!/bin/sh\necho "failed to start daemon: this engine never starts" >&2\nexit 1\n' >forky/docker.io/usr/sbin/dockerd
pack docker-ce-cli 1 "$BROKEN" forky/docker-cli </dev/null
pack_service docker-ce "$BROKEN" forky/docker.io "sleep 5"
find rpms -name '*.rpm' -exec rpmsign --define '_gpg_name the lab' --addsign {} + >/dev/null 2>&1
find rpms -name '*.rpm' -exec mv {} "$stable/" \;
createrepo_c --quiet "$stable"
