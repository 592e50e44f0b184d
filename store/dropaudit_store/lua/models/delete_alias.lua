-- Deletes an alias. Returns whether there was one.
-- require libraries/names
local name, alias = unpack(ARGV, 1, 2)

local before = redis.call('HGET', aliases_key(name), alias)
redis.call('HDEL', aliases_key(name), alias)
if before then forget(name, tonumber(before)) end
return before and 1 or 0
