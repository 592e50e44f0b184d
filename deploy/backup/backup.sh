#!/bin/sh
# Copies what the service keeps, while it runs.
#
#   backup.sh TARGET DATA [CONTENT]
#
# DATA is Redis's folder, where it is asked to write a snapshot. CONTENT is the folder of models and tensors; without it
# they lie in a bucket, which has backups or versions of its own. `redis-cli` must reach Redis as a user that may BGSAVE:
# REDIS_CLI says how, such as "docker compose exec -T redis redis-cli --user admin", with REDISCLI_AUTH in its environment.
#
# Redis comes first. Content is never changed, and lies under its own digest: a file that came after the snapshot is one
# too many, and harms nobody; the other way round, one that a record names would be missing.
set -eu
target=$1 data=$2 content=${3:-}
cli=${REDIS_CLI:-redis-cli}

says() { # says FIELD: what Redis says of its persistence
  $cli info persistence | tr -d '\r' | sed -n "s/^$1://p"
}

mkdir -p "$target"
# While Redis rewrites its append-only file it refuses to save.
until $cli bgsave | grep -q started; do sleep 1; done
while [ "$(says rdb_bgsave_in_progress)" = 1 ]; do sleep 1; done
if [ "$(says rdb_last_bgsave_status)" != ok ]; then
  echo "backup.sh: Redis could not write its snapshot; its log says why" >&2
  exit 1
fi
cp "$data/dump.rdb" "$target/dump.rdb.new"
mv "$target/dump.rdb.new" "$target/dump.rdb"
if [ -n "$content" ]; then
  mkdir -p "$target/content"
  # What was copied before is left out.
  cp -Rpu "$content/." "$target/content/"
fi
