-- Stores a model; one that is known stays as it is. With a name, the content becomes its newest version, unless it is
-- that already; `version` is the version's record, its number written as 0. Returns the record that is kept.
-- require libraries/names
local sha, record, member, name, version = unpack(ARGV, 1, 5)

if redis.call('SET', P .. 'model:' .. sha, record, 'NX') then
  redis.call('ZADD', P .. 'models', 0, member)
  ref(sha, 'models/' .. sha)
end
if name ~= '' then add_version(name, version, sha) end
return redis.call('GET', P .. 'model:' .. sha)
