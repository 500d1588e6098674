#!/usr/bin/env bash
# ./build.sh TARGET [options]: checks what the build needs, then runs the target of build.cake.
set -euo pipefail
cd "$(dirname "$0")"

target=${1:-demo}
[ $# -gt 0 ] && shift
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false

if ! command -v dotnet >/dev/null || ! dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; then
  echo "The .NET SDK 10 is missing. Install it from https://dotnet.microsoft.com/download/dotnet/10.0 and put dotnet on PATH." >&2
  exit 1
fi

missing=()
command -v c++ >/dev/null || missing+=(g++)
command -v cmake >/dev/null || missing+=(cmake)
command -v ninja >/dev/null || missing+=(ninja-build)
[ "$target" != test ] || [ -e /usr/include/gtest/gtest.h ] || missing+=(libgtest-dev)
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing ${missing[*]}."
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null
  else
    echo "The native build needs: ${missing[*]}. On Debian: sudo apt-get install -y ${missing[*]}" >&2
    exit 1
  fi
fi

dotnet tool restore >/dev/null || { dotnet tool restore; exit 1; }
exec dotnet cake build.cake --verbosity=minimal --target="$target" "$@"
