-- Lets an alias stand for a version; 0 is the newest. Returns its record, or missing, or many.
-- require libraries/names
local name, alias, version = unpack(ARGV, 1, 3)

local found
if version == '0' then found = redis.call('HGET', name_key(name), 'newest')
else found = redis.call('HGET', name_key(name), 'v:' .. version) end
if not found then return 'missing' end
local before = redis.call('HGET', aliases_key(name), alias)
if not before and redis.call('HLEN', aliases_key(name)) >= MOST_ALIASES then return 'many' end
redis.call('HSET', aliases_key(name), alias, cjson.decode(found).version)
if before then forget(name, tonumber(before)) end
return found
