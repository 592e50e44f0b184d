"""Steps that change models and their names, each one atomic in Redis.

A name is a hash `name:NAME`: `count`, the number of the version that came last; `newest`, the newest version that is
kept, as it is stored; and `v:N`, each version. `aliases:NAME` holds the version of each alias, `names` all names, and
`names-of:SHA256` the names that have, or had, a content as a version.
"""

from __future__ import annotations

from dropaudit_store.naming.records import MOST_ALIASES, MOST_VERSIONS
from dropaudit_store.redis.scripts import COMMON

_NAMES = (
    COMMON
    + f"local MOST_VERSIONS, MOST_ALIASES = {MOST_VERSIONS}, {MOST_ALIASES}\n"
    + """
local function name_key(name) return P .. 'name:' .. name end
local function aliases_key(name) return P .. 'aliases:' .. name end
local function names_of(sha) return P .. 'names-of:' .. sha end
local function is_aliased(name, number)
  for _, each in ipairs(redis.call('HVALS', aliases_key(name))) do
    if tonumber(each) == number then return true end
  end
  return false
end
local function forget(name, number)
  -- What is beyond the newest so many, and has no alias.
  local count = tonumber(redis.call('HGET', name_key(name), 'count') or 0)
  if number > 0 and number <= count - MOST_VERSIONS and not is_aliased(name, number) then
    redis.call('HDEL', name_key(name), 'v:' .. number)
  end
end
local function add_version(name, record, sha)
  local newest = redis.call('HGET', name_key(name), 'newest')
  if newest and cjson.decode(newest).sha256 == sha then return end
  local number = redis.call('HINCRBY', name_key(name), 'count', 1)
  local stored = string.gsub(record, '"version":0', '"version":' .. number, 1)
  redis.call('HSET', name_key(name), 'v:' .. number, stored, 'newest', stored)
  redis.call('ZADD', P .. 'names', 0, name)
  redis.call('SADD', names_of(sha), name)
  forget(name, number - MOST_VERSIONS)
end
local function delete_name(name)
  redis.call('DEL', name_key(name), aliases_key(name))
  redis.call('ZREM', P .. 'names', name)
end
local function delete_versions(name, sha)
  local fields, newest, left = redis.call('HGETALL', name_key(name)), 0, 0
  local gone = {}
  for i = 1, #fields, 2 do
    local number = tonumber(string.match(fields[i], '^v:(%d+)$'))
    if number and cjson.decode(fields[i + 1]).sha256 == sha then
      redis.call('HDEL', name_key(name), fields[i])
      gone[number] = true
    elseif number then
      left = left + 1
      newest = math.max(newest, number)
    end
  end
  local aliases = redis.call('HGETALL', aliases_key(name))
  for i = 1, #aliases, 2 do
    if gone[tonumber(aliases[i + 1])] then redis.call('HDEL', aliases_key(name), aliases[i]) end
  end
  if left == 0 then return delete_name(name) end
  redis.call('HSET', name_key(name), 'newest', redis.call('HGET', name_key(name), 'v:' .. newest))
end
local function users_of(sha, own)
  local users = {}
  for _, name in ipairs(redis.call('SRANDMEMBER', P .. 'refs:' .. sha, 21)) do
    if name ~= own then users[#users + 1] = name end
  end
  return users
end
local function delete_model(sha, member, now)
  redis.call('DEL', P .. 'model:' .. sha, P .. 'sites:' .. sha, names_of(sha))
  redis.call('ZREM', P .. 'models', member)
  unref(sha, 'models/' .. sha, now)
end
"""
)

# ARGV sha256 record member name version. A model that is known stays as it is. With a name, the content becomes its
# newest version, unless it is that already; `version` is the version's record, its number written as 0. Returns the
# record that is kept.
ADD_MODEL = (
    _NAMES
    + """
local sha, name = ARGV[1], ARGV[4]
if redis.call('SET', P .. 'model:' .. sha, ARGV[2], 'NX') then
  redis.call('ZADD', P .. 'models', 0, ARGV[3])
  ref(sha, 'models/' .. sha)
end
if name ~= '' then add_version(name, ARGV[5], sha) end
return redis.call('GET', P .. 'model:' .. sha)
"""
)

# ARGV sha256 member now. Deletes a model with the versions that it is. Returns what uses the model, at most 20 names;
# empty when it is deleted.
DELETE_MODEL = (
    _NAMES
    + """
local sha = ARGV[1]
local users = users_of(sha, 'models/' .. sha)
if #users > 0 then return users end
for _, name in ipairs(redis.call('SMEMBERS', names_of(sha))) do delete_versions(name, sha) end
delete_model(sha, ARGV[2], ARGV[3])
return {}
"""
)

# ARGV name now count, then for each content of the name's versions: sha256 member. `count` is the number of the version
# that came last: where another one has come since, nothing is done. Content that another name has stays. Returns done,
# or changed, or used with what uses the content.
DELETE_NAME = (
    _NAMES
    + """
local name, now = ARGV[1], ARGV[2]
if (redis.call('HGET', name_key(name), 'count') or '0') ~= ARGV[3] then return {'changed'} end
local only = {}
for i = 4, #ARGV, 2 do
  local sha = ARGV[i]
  if redis.call('SCARD', names_of(sha)) <= 1 then only[#only + 1] = i end
end
for _, i in ipairs(only) do
  local users = users_of(ARGV[i], 'models/' .. ARGV[i])
  if #users > 0 then return {'used', unpack(users)} end
end
for i = 4, #ARGV, 2 do redis.call('SREM', names_of(ARGV[i]), name) end
delete_name(name)
for _, i in ipairs(only) do delete_model(ARGV[i], ARGV[i + 1], now) end
return {'done'}
"""
)

# ARGV name alias version; the version 0 is the newest. Returns its record, or missing, or many.
SET_ALIAS = (
    _NAMES
    + """
local name, alias = ARGV[1], ARGV[2]
local found
if ARGV[3] == '0' then found = redis.call('HGET', name_key(name), 'newest')
else found = redis.call('HGET', name_key(name), 'v:' .. ARGV[3]) end
if not found then return 'missing' end
local before = redis.call('HGET', aliases_key(name), alias)
if not before and redis.call('HLEN', aliases_key(name)) >= MOST_ALIASES then return 'many' end
redis.call('HSET', aliases_key(name), alias, cjson.decode(found).version)
if before then forget(name, tonumber(before)) end
return found
"""
)

# ARGV name alias. Returns whether there was one.
DELETE_ALIAS = (
    _NAMES
    + """
local before = redis.call('HGET', aliases_key(ARGV[1]), ARGV[2])
redis.call('HDEL', aliases_key(ARGV[1]), ARGV[2])
if before then forget(ARGV[1], tonumber(before)) end
return before and 1 or 0
"""
)
