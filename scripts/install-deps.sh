#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install-deps.sh build|test|package|proto|bench...
#
# Installs those Debian packages of the named sets that are missing, and nothing when none is: then it needs no network
# and no rights. Services that come with packages (prometheus, node exporter) are not started: the tests start their own.
set -eu

build_packages=(libnghttp2-dev libsystemd-dev libisal-dev libseccomp-dev libyaml-dev libgcrypt20-dev libcrypt-dev
  libsqlite3-dev libzstd-dev libjs-dygraphs pkg-config)
# libnghttp2-dev: HTTP/2 of the gRPC side. libsystemd-dev: notify, watchdog, descriptor store. libisal-dev: gzip.
# libseccomp-dev: the lists of system calls of the processes. libyaml-dev: the web configuration. libgcrypt20-dev: SHA-256.
# libcrypt-dev: bcrypt. libsqlite3-dev, libzstd-dev: the black box. libjs-dygraphs: charts of the pages.
# debootstrap: a bare Debian in which the package is installed. buildah: the container image, without a daemon. man-db, groff-base: manual pages without warnings.
test_packages=(prometheus prometheus-node-exporter victoria-metrics curl openssl stunnel4 debootstrap buildah man-db
  groff-base chromium golang-go libxml2-utils)
# curl, openssl: clients with TLS that are not ours. stunnel4: TLS in front of agents that have none. chromium: the browser in which the pages are tried.
# golang-go, libxml2-utils: go tool pprof and xmllint, which judge profiles.
# dpkg-dev: dpkg-shlibdeps, which finds out what the programs depend on. binutils: strip.
package_packages=(dpkg-dev binutils)
proto_packages=(protobuf-compiler)
# Programs that downloads are measured with and compared with.
bench_packages=(curl nginx)
# A browser for pictures of the pages, and a program that makes the pictures small.
pictures_packages=(chromium pngquant)

wanted=()
for set in "$@"; do
    case $set in
        build) wanted+=("${build_packages[@]}") ;;
        test)
            wanted+=("${test_packages[@]}")
            # Debian's own python3 has venv in a package of its own; any other python3 that can make one is as good.
            python3 -c 'import ensurepip, venv' 2>/dev/null || wanted+=(python3 python3-venv)
            ;;
        package) wanted+=("${package_packages[@]}") ;;
        proto) wanted+=("${proto_packages[@]}") ;;
        bench) wanted+=("${bench_packages[@]}") ;;
        pictures) wanted+=("${pictures_packages[@]}") ;;
        *) echo "install-deps: no set '$set'; there are: build, test, package, proto, bench, pictures" >&2; exit 2 ;;
    esac
done

missing=()
for package in "${wanted[@]}"; do
    state=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null) || state=absent
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "install-deps: missing: ${missing[*]} (Debian's names), and there is no apt-get to install them" >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "install-deps: missing: ${missing[*]}; become root and run: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "install-deps: installing ${missing[*]}"

# Debian starts a package's service as it installs it, unless this file says 101 ("not allowed").
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
fi
"${as_root[@]}" apt-get update --quiet=2
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --quiet=2 --no-install-recommends "${missing[@]}"
