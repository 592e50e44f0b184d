#!/bin/sh
# Lints the contract and compares it with the last release: what a client of that release relies on must still be there.
#
#   tools/contract.sh BUF [FOLDER]
#
# FOLDER holds buf.yaml and proto/; by default the project's own.
set -eu
buf=$1
case $buf in /*) ;; *) buf=$PWD/$buf ;; esac
cd "${2:-$(dirname "$0")/..}"
"$buf" lint
"$buf" breaking --against proto/released.binpb
