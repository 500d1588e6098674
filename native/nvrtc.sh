#!/usr/bin/env bash
# Finds NVRTC (KERNELS_NVRTC, a CUDA toolkit, the loader's path). Where there is none, puts NVRTC 12.4 from Debian's non-free
# packages into artifacts/nvrtc. Nothing outside that folder changes: a source list, state and cache of apt's own, the packages
# unpacked and not installed. The mirror is the one this machine's apt uses.
set -euo pipefail
cd "$(dirname "$0")/.."

target=artifacts/nvrtc
library=$target/usr/lib/x86_64-linux-gnu/libnvrtc.so.12
[ -e "$library" ] && exit 0
[ -n "${KERNELS_NVRTC:-}" ] && exit 0 # a path, or none: the user has decided

for toolkit in "${CUDA_PATH:-}" "${CUDA_HOME:-}" /usr/local/cuda* /opt/cuda*; do
  for folder in lib64 lib targets/x86_64-linux/lib; do
    [ -n "$toolkit" ] && found=$(compgen -G "$toolkit/$folder/libnvrtc.so.1[0-9]*" | head -n 1) && {
      echo "NVRTC found: $found."
      exit 0
    }
  done
done
if /sbin/ldconfig -p 2>/dev/null | grep -q 'libnvrtc\.so\.'; then
  echo "NVRTC found on the loader's path."
  exit 0
fi

fail() {
  echo "NVRTC was not fetched: $1. Install a CUDA toolkit (CUDA_PATH), or set KERNELS_NVRTC to libnvrtc.so; without it the packed PTX serves." >&2
  exit 1
}
[ "$(uname -m)" = x86_64 ] || fail "Debian has it for x86_64 only"
command -v apt-get >/dev/null && command -v dpkg >/dev/null || fail "this machine has no apt"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e $keyring ] || fail "$keyring is missing (package debian-archive-keyring)"

# The first archive that apt knows whose path ends in /debian: deb822 files have "URIs:", one-line files have "deb [options] URI".
mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true; } |
  sed -nE 's/^URIs:[[:space:]]*([^[:space:]]+).*/\1/p; s/^deb[[:space:]]+(\[[^]]*\][[:space:]]+)?([^[:space:]]+).*/\2/p' |
  sed 's:/*$::' | grep -m 1 '/debian$') || fail "apt has no Debian archive"

apt=$PWD/$target/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
echo "deb [signed-by=$keyring] $mirror trixie non-free" >"$apt/sources.list"
private=(-o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null -o Dir::State="$apt"
  -o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none
  -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false)
log=$apt/log
: >"$apt/status"
private+=(-o Dir::State::status="$apt/status")
(cd "$apt" && apt-get "${private[@]}" update && apt-get "${private[@]}" download libnvrtc12 libnvrtc-builtins12.4) >"$log" 2>&1 ||
  fail "$(tail -n 1 "$log")"
for package in "$apt"/*.deb; do dpkg -x "$package" "$apt/root" || fail "dpkg could not unpack $package"; done
{ rm -rf "$target/usr" && mv "$apt/root/usr" "$target/usr" && rm -rf "$apt"; } || fail "$target is not writable"
[ -e "$library" ] || fail "the packages do not hold $library"
echo "NVRTC 12.4 fetched from Debian's packages into $target."
