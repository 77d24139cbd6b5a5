#!/usr/bin/env bash
# Installs into a staging directory and checks that a package would hold everything, with paths
# that fit the prefix.  usage: layout_test.sh BUILD_DIRECTORY CMAKE
set -euo pipefail
build=$1
cmake=$2
stage=$(mktemp -d /tmp/lsmtuned-install-XXXXXX)
trap 'rm -rf "$stage"' EXIT
failures=0

fail() {
  printf 'FAIL: %s\n' "$*" >&2
  failures=$((failures + 1))
}
expect_file() { [ -e "$stage$1" ] || fail "$1 is not installed"; }
expect_text() { grep -qF -- "$2" "$stage$1" || fail "$1 does not hold: $2"; }
install_to() { # PREFIX
  DESTDIR=$stage "$cmake" --install "$build" --prefix "$1" >"$stage.log" 2>&1 ||
    { cat "$stage.log" >&2; fail "cmake --install failed for the prefix $1"; }
  rm -f "$stage.log"
}

libdir=$(sed -n 's/^CMAKE_INSTALL_LIBDIR:[A-Z]*=//p' "$build/CMakeCache.txt")
install_to /usr
expect_file /usr/bin/lsmtuned
expect_file /usr/bin/lsmtunectl
expect_file "/usr/$libdir/lsmtuned/liblsmtuned_agent.so"
expect_file "/usr/$libdir/lsmtuned/liblsmtuned_agent_rocksdb7.8.so"
expect_file "/usr/$libdir/liblsmtuned.so"
expect_file /usr/include/lsmtuned/agent.h
expect_file /usr/lib/systemd/system/lsmtuned.service
expect_file /usr/lib/sysusers.d/lsmtuned.conf
expect_file /usr/lib/tmpfiles.d/lsmtuned.conf
expect_file /etc/lsmtuned/lsmtuned.toml
expect_file /usr/share/doc/lsmtuned/configuration.md
expect_file /usr/share/doc/lsmtuned/examples/attach-database.conf
expect_file /usr/share/doc/lsmtuned/examples/embedded-target.conf

unit=/usr/lib/systemd/system/lsmtuned.service
expect_text $unit 'ExecStart=/usr/bin/lsmtuned --config /etc/lsmtuned/lsmtuned.toml'
preload=$(sed -n 's/^Environment=LD_PRELOAD=//p' \
  "$stage/usr/share/doc/lsmtuned/examples/attach-database.conf")
expect_file "$preload"
# What the documents and `lsmtunectl diagnose` tell users to preload is what is installed.
source=$(cd "$(dirname "$0")/../../.." && pwd)
for text in README.md docs/attach.md bench/demo/attach.py daemon/ctl_diagnose.cc; do
  for named in $(grep -oE 'LD_PRELOAD=/[^ "`]*liblsmtuned_agent.so' "$source/$text"); do
    [ "$named" = "LD_PRELOAD=$preload" ] || fail "$text names ${named#*=}, installed is $preload"
  done
  grep -qF "LD_PRELOAD=$preload" "$source/$text" || fail "$text does not name $preload"
done
if grep -rqE "$stage|$build|@[a-z]+dir@" "$stage/usr/lib/systemd" "$stage/usr/share" "$stage/etc"; then
  fail "an installed text names the staging or build directory, or an unfilled path"
fi

# The installed configuration passes the installed program's own check.
"$stage/usr/bin/lsmtuned" --check-config --config "$stage/etc/lsmtuned/lsmtuned.toml" ||
  fail "the installed configuration does not pass --check-config"

if command -v systemd-analyze >/dev/null; then
  # verify wants the program to exist where the unit says.
  sed "s#/usr/bin/lsmtuned#$stage/usr/bin/lsmtuned#" "$stage$unit" >"$stage/lsmtuned.service"
  output=$(systemd-analyze verify --man=no "$stage/lsmtuned.service" 2>&1) || fail "verify: $output"
  [ -z "$output" ] || fail "verify says: $output"
else
  echo "systemd-analyze is not installed (package systemd): verify skipped"
fi

# An update leaves an operator's file alone and lays the new one beside it.
echo '# mine' >>"$stage/etc/lsmtuned/lsmtuned.toml"
install_to /usr
expect_text /etc/lsmtuned/lsmtuned.toml '# mine'
expect_file /etc/lsmtuned/lsmtuned.toml.new

# Another prefix keeps to itself.
rm -rf "${stage:?}"/*
install_to /opt/lsmtuned
expect_text /opt/lsmtuned/lib/systemd/system/lsmtuned.service \
  'ExecStart=/opt/lsmtuned/bin/lsmtuned --config /opt/lsmtuned/etc/lsmtuned/lsmtuned.toml'
expect_file /opt/lsmtuned/etc/lsmtuned/lsmtuned.toml
[ ! -e "$stage/etc" ] || fail "the prefix /opt/lsmtuned wrote to /etc"

[ $failures = 0 ] || exit 1
echo "the install layout is complete"
