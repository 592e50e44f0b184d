-- Deletes a name. After the named arguments come for each content of the name's versions: sha256 member. `count` is
-- the number of the version that came last: where another one has come since, nothing is done. Content that another
-- name has stays. Returns done, or changed, or used with what uses the content.
-- require libraries/names
local name, now, count = unpack(ARGV, 1, 3)

if (redis.call('HGET', name_key(name), 'count') or '0') ~= count then return {'changed'} end
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
