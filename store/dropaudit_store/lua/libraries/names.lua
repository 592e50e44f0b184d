-- Names of models, their versions and aliases, of which a name has at most MOST_VERSIONS and MOST_ALIASES.
--
-- A name is a hash `name:NAME`: `count`, the number of the version that came last; `newest`, the newest version that is
-- kept, as it is stored; and `v:N`, each version. `aliases:NAME` holds the version of each alias, `names` all names, and
-- `names-of:SHA256` the names that have, or had, a content as a version.
-- require libraries/common

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
