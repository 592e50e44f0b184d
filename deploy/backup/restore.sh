#!/bin/sh
# Puts a backup where an empty Redis and an empty service find it; neither may run yet.
#
#   restore.sh SOURCE DATA [CONTENT]
#
# A Redis with an append-only file takes no notice of dump.rdb, and would begin with nothing: the snapshot becomes the base
# of that file instead (Redis 7 and later, and Valkey).
set -eu
source=$1 data=$2 content=${3:-}

if [ -e "$data/appendonlydir" ] || [ -e "$data/dump.rdb" ]; then
  echo "restore.sh: $data holds a Redis's files already; move them away first" >&2
  exit 1
fi
mkdir -p "$data/appendonlydir"
cp "$source/dump.rdb" "$data/appendonlydir/appendonly.aof.1.base.rdb"
echo "file appendonly.aof.1.base.rdb seq 1 type b" >"$data/appendonlydir/appendonly.aof.manifest"
if [ -n "$content" ]; then
  mkdir -p "$content"
  cp -Rp "$source/content/." "$content/"
fi
