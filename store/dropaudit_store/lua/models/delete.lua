-- Deletes a model with the versions that it is. Returns what uses the model, at most 20 names; empty when it is
-- deleted.
-- require libraries/names
local sha, member, now = unpack(ARGV, 1, 3)

local users = users_of(sha, 'models/' .. sha)
if #users > 0 then return users end
for _, name in ipairs(redis.call('SMEMBERS', names_of(sha))) do delete_versions(name, sha) end
delete_model(sha, member, now)
return {}
