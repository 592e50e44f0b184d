#!/bin/sh
# Makes the users of Redis: passwords at the first start, kept afterwards, and the file that Redis reads.
#
#   users.sh FOLDER
#
# FOLDER/redis/users.acl is for Redis; FOLDER/redis/admin has the operator's password, and FOLDER/ROLE/password that of
# server, worker and beat, each in a folder of its own, so that nobody is given another's. FOLDER/grafana/password is that
# of Grafana's admin. A file redis-ROLE (server, worker, beat, admin) or grafana-admin in SECRETS_FOLDER, where docker
# secrets lie, is taken in place of a password made here.
#
# It runs as the user that server, worker and beat run as.
set -eu
umask 077
folder=$1
given=${SECRETS_FOLDER:-/run/secrets}

password() { # password NAME FILE
  mkdir -p "$(dirname "$2")"
  if [ -s "$given/$1" ]; then
    cat "$given/$1" >"$2"
  elif [ ! -s "$2" ]; then
    head -c 32 /dev/urandom | sha256sum | cut -c 1-64 >"$2.new"
    mv "$2.new" "$2"
  fi
}

hashed() { # what Redis keeps of a password: its SHA-256, without the end of the line
  printf '#%s' "$(tr -d '\r\n' <"$1" | sha256sum | cut -c 1-64)"
}

for role in server worker beat; do
  password "redis-$role" "$folder/$role/password"
done
password redis-admin "$folder/redis/admin"
password grafana-admin "$folder/grafana/password"

# Keys. Redis's own commands on queues are Celery's: a queue is a list for each priority, and what a worker has taken is
# noted in unacked*. `[^b]` and `b[^e]` leave out what is the beat's, dropaudit:beat:*.
records='~dropaudit:[^b]* ~dropaudit:b[^e]*'
send='%W~dropaudit %W~dropaudit??[0-9] %W~dropaudit-gpu %W~dropaudit-gpu??[0-9] ~_kombu.binding*.dropaudit*'
celery='~dropaudit* ~unacked* ~_kombu.binding* &/0.celery.pidbox &/0.celeryev/*'
# Commands. Nothing that writes elsewhere, loads code, copies data away, ends Redis or changes its users.
scripts='+eval +evalsha +script|load +script|exists'
common='+@connection -@dangerous +info +time +config|get'
beat_commands='+get +set +del +exists +expire +pexpire +pttl +hget +hgetall +hmget +hset +hsetnx +hdel +zadd +zrem +zrange
  +zrangebyscore +zrevrangebyscore +zscore +zcard +sadd +smembers +lpush +llen +multi +exec +discard +watch +unwatch'

{
  # Nobody becomes this user, but Redis itself, which reads its file as it when it starts: without rights it would leave
  # out every transaction, and forget what those wrote.
  echo "user default off resetpass ~* &* +@all"
  echo "user admin on $(hashed "$folder/redis/admin") ~* &* +@all"
  echo "user server on $(hashed "$folder/server/password") resetchannels $records $send" \
    "-@all +@read +@write +@transaction $common $scripts"
  echo "user worker on $(hashed "$folder/worker/password") resetchannels $celery" \
    "-@all +@read +@write +@transaction +@pubsub $common $scripts"
  echo "user beat on $(hashed "$folder/beat/password") resetchannels ~dropaudit:beat:* $send" \
    "-@all" $beat_commands "$common $scripts"
} >"$folder/redis/users.acl.new"
mv "$folder/redis/users.acl.new" "$folder/redis/users.acl"

# Redis and Grafana read what is theirs as the groups of their folders; nobody else enters these.
chmod 640 "$folder/redis/users.acl" "$folder/redis/admin" "$folder/grafana/password"
