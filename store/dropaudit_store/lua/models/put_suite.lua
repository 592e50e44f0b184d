-- Puts the suite `after` in the place of `before`; an empty word is no suite. `released` and `referred` are digests,
-- none of them in both; `models` those of `after` that must be stored. Returns 1, 0 when something else is there, or
-- the digest of a model that is missing.
-- require libraries/common
local id, now, member, before, after, released, referred, models, is_scheduled = unpack(ARGV, 1, 9)

if (redis.call('GET', P .. 'suite:' .. id) or '') ~= before then return 0 end
local missing
each(models, function(sha) if redis.call('EXISTS', P .. 'model:' .. sha) == 0 then missing = sha end end)
if missing then return missing end
if after == '' then
  redis.call('DEL', P .. 'suite:' .. id, P .. 'due:' .. id)
  redis.call('ZREM', P .. 'suites', member)
else
  redis.call('SET', P .. 'suite:' .. id, after)
  redis.call('ZADD', P .. 'suites', 0, member)
end
redis.call(is_scheduled == '1' and 'SADD' or 'SREM', P .. 'scheduled', id)
each(referred, function(sha) ref(sha, 'suites/' .. id) end)
each(released, function(sha) unref(sha, 'suites/' .. id, now) end)
return 1
