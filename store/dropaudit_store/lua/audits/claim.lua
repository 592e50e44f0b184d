-- Claims a queued audit. Returns the token and then the audit, each field with its value, or false when there is nothing
-- to claim.
-- require libraries/one_audit
local id, now, lease_end, holder = ARGV[1], instant(ARGV[2]), instant(ARGV[3]), ARGV[4]

local function claimed(token)
  local answer = redis.call('HGETALL', audit_key(id))
  table.insert(answer, 1, tonumber(token))
  return answer
end
local found = redis.call('HMGET', audit_key(id), 'state', 'holder', 'token')
if found[1] == 'RUNNING' and found[2] == holder then return claimed(found[3]) end
if found[1] ~= 'QUEUED' then return false end
enter(id, 'RUNNING')
redis.call('HSET', audit_key(id), 'start', now, 'holder', holder)
if redis.call('HINCRBY', audit_key(id), 'attempts', 1) == 1 then
  observe('wait', tonumber(now) - tonumber(redis.call('HGET', audit_key(id), 'create')))
end
local token = redis.call('HINCRBY', audit_key(id), 'token', 1)
redis.call('ZREM', P .. 'queued', id)
redis.call('ZADD', P .. 'running', lease_end, id)
event(id, 'state', 'RUNNING', now)
return claimed(token)
