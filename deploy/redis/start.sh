#!/bin/sh
# Starts Redis, in its container, with the users of users.acl. Their passwords come from the environment; Redis gets hashes of them,
# in a file that is in memory only.
set -eu
: "${REDIS_AUTH_PASSWORD:?}" "${REDIS_ROOMS_PASSWORD:?}" "${REDIS_OPERATOR_PASSWORD:?}"

hash() {
  printf %s "$1" | sha256sum | cut -d ' ' -f 1
}

sed -e '/^#/d' -e '/^$/d' \
  -e "s/>REDIS_AUTH_PASSWORD/#$(hash "$REDIS_AUTH_PASSWORD")/" \
  -e "s/>REDIS_ROOMS_PASSWORD/#$(hash "$REDIS_ROOMS_PASSWORD")/" \
  -e "s/>REDIS_OPERATOR_PASSWORD/#$(hash "$REDIS_OPERATOR_PASSWORD")/" \
  /etc/redis/users.acl >/tmp/users.acl
unset REDIS_AUTH_PASSWORD REDIS_ROOMS_PASSWORD REDIS_OPERATOR_PASSWORD REDISCLI_AUTH

exec redis-server --dir /data --appendonly yes --appendfsync everysec --save '' --aclfile /tmp/users.acl
