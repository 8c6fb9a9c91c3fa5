#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build-deb.sh BIN [FOLDER]
#
# Packs the release programs in BIN (built with the Swift runtime linked in: make build) into
# FOLDER/fodc-proxy_VERSION_ARCH.deb; FOLDER is dist unless given. The same programs give the same package, byte for byte:
# times in it are SOURCE_DATE_EPOCH's, else those of the last commit.
set -eu
cd "$(dirname "$0")/.."
bin=$1
folder=${2:-dist}
umask 022

# The supervisor starts what lies in the folder of its own file.
service_programs=(fodc-proxy fodc-ingest fodc-exporter fodc-recorder)
tools=(fodc-ring fodc-agentsim fodc-blackbox)

fail() { echo "build-deb: $*" >&2; exit 1; }
for program in "${service_programs[@]}" "${tools[@]}"; do
    [ -x "$bin/$program" ] || fail "$bin/$program is missing: make build"
    # A Swift library among what it loads: the target would need a toolchain.
    ! readelf -d "$bin/$program" | grep -q 'NEEDED.*\[\(libswift\|libFoundation\|libdispatch\)' ||
        fail "$bin/$program is not linked with -static-stdlib (rm .build/release.yaml, so that SwiftPM notices other flags, and make build)"
done

architecture=$(dpkg --print-architecture)
version=$("$bin/fodc-proxy" --version | sed -n 's/^fodc-proxy //p')
[ -n "$version" ] || fail "$bin/fodc-proxy does not say its version"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
export SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/tree

put() { # MODE SOURCE TARGET
    install -D -m "$1" "$2" "$root/$3"
}
put_program() { # SOURCE TARGET: without what only a debugger reads; names of functions stay, for traces and cores
    put 755 "$1" "$2"
    strip --strip-debug --remove-section=.comment --enable-deterministic-archives "$root/$2"
}
put_packed() { # SOURCE TARGET
    mkdir -p "$root/${2%/*}"
    gzip -9n < "$1" > "$root/$2"
}

for program in "${service_programs[@]}"; do put_program "$bin/$program" "usr/lib/fodc-proxy/$program"; done
for program in "${tools[@]}"; do put_program "$bin/$program" "usr/bin/$program"; done
mkdir -p "$root/usr/sbin"
ln -s ../lib/fodc-proxy/fodc-proxy "$root/usr/sbin/fodc-proxy"
# The name of version 0.1.0, for one version.
ln -s fodc-ring "$root/usr/bin/fodc-lane"

for unit in fodc-proxy.service fodc-proxy-grpc.socket fodc-proxy-grpctls.socket fodc-proxy-http.socket; do
    put 644 "deploy/systemd/$unit" "usr/lib/systemd/system/$unit"
done
put 644 deploy/systemd/fodc-proxy.sysusers usr/lib/sysusers.d/fodc-proxy.conf
put 644 deploy/systemd/fodc-proxy.tmpfiles usr/lib/tmpfiles.d/fodc-proxy.conf
put 644 deploy/systemd/fodc-proxy.default etc/default/fodc-proxy

for page in fodc-proxy.8 fodc-ring.1 fodc-agentsim.1 fodc-blackbox.1; do
    put_packed "deploy/man/$page" "usr/share/man/man${page##*.}/$page.gz"
done
ln -s fodc-ring.1.gz "$root/usr/share/man/man1/fodc-lane.1.gz"
completions=usr/share/bash-completion/completions
put 644 deploy/completion/fodc-proxy.bash $completions/fodc-proxy
for program in "${tools[@]}"; do ln -s fodc-proxy "$root/$completions/$program"; done

documents=usr/share/doc/fodc-proxy
put 644 deploy/debian/copyright $documents/copyright
put_packed CHANGELOG.md $documents/changelog.gz
for example in prometheus.yml prometheus-kubernetes.yml fodc-proxy.rules.yml; do
    put 644 "deploy/prometheus/$example" "$documents/examples/$example"
done

# Libraries that the programs load, with their least versions: found by dpkg's own tool.
mkdir "$work/debian"
printf 'Source: fodc-proxy\n\nPackage: fodc-proxy\nArchitecture: any\n' > "$work/debian/control"
# (It warns that the programs are not below a folder debian/fodc-proxy: said only if it fails.)
depends=$(cd "$work" && dpkg-shlibdeps -O "${service_programs[@]/#/tree/usr/lib/fodc-proxy/}" \
    "${tools[@]/#/tree/usr/bin/}" 2>errors) || { cat "$work/errors" >&2; exit 1; }
depends=${depends#shlibs:Depends=}
[ -n "$depends" ] || fail "no dependencies found"

mkdir "$root/DEBIAN"
cat > "$root/DEBIAN/control" <<CONTROL
Package: fodc-proxy
Version: $version
Architecture: $architecture
Maintainer: Apache SkyWalking <dev@skywalking.apache.org>
Section: net
Priority: optional
Homepage: https://github.com/apache/skywalking-banyandb
Installed-Size: $(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)
Depends: $depends, passwd,
 systemd (>= 252) | systemd-standalone-sysusers (>= 252), systemd (>= 252) | systemd-standalone-tmpfiles (>= 252)
Suggests: prometheus, systemd-coredump
Description: FODC proxy of Apache SkyWalking BanyanDB
 Every BanyanDB node has an agent that knows its metrics; the proxy is where they
 come together. Agents connect to it by gRPC; Prometheus, dashboards and people
 ask it by HTTP for metrics, topology, lifecycle, crashes and profiles.
 .
 It runs as several processes, each of which may die without a scrape being
 lost. The package also has fodc-ring, which shows the memory that they share,
 fodc-blackbox, which reads what was recorded of nodes that are gone, and
 fodc-agentsim, which simulates agents.
 .
 It needs Linux 5.4 or later.
CONTROL
echo /etc/default/fodc-proxy > "$root/DEBIAN/conffiles"
for script in preinst postinst prerm postrm; do install -m 755 "deploy/debian/$script" "$root/DEBIAN/$script"; done
(cd "$root" && find . -type f ! -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) > "$root/DEBIAN/md5sums"
find "$root" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$folder"
package=$folder/fodc-proxy_${version}_$architecture.deb
# One thread: with several the bytes depend on how many there are. A higher level takes minutes for a tenth less.
dpkg-deb --root-owner-group --threads-max=1 -Zxz -z1 --build "$root" "$package" >/dev/null
echo "build-deb: $package ($(du -h "$package" | cut -f1))"
