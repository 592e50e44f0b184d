-- Takes an audit from a holder whose lease has expired. Returns the new state, or false when the lease has not
-- expired or the audit is not running.
-- require libraries/one_audit
local id, now, max_attempts, failure, expire = ARGV[1], instant(ARGV[2]), ARGV[3], ARGV[4], instant(ARGV[5])

local lease_end = redis.call('ZSCORE', P .. 'running', id)
if redis.call('HGET', audit_key(id), 'state') ~= 'RUNNING' then
  redis.call('ZREM', P .. 'running', id)
  return false
end
if lease_end and tonumber(lease_end) > tonumber(now) then return false end
let_through()
count('expired', 1)
return lose(id, now, max_attempts, failure, expire)
