-- Takes an audit from a holder that is gone; `holder` is how its name begins. Returns the new state, or false when
-- somebody else holds it, or nobody.
-- require libraries/one_audit
local id, now, max_attempts, failure, expire, holder, cause =
  ARGV[1], instant(ARGV[2]), ARGV[3], ARGV[4], instant(ARGV[5]), ARGV[6], ARGV[7]

local found = redis.call('HMGET', audit_key(id), 'state', 'holder')
if found[1] ~= 'RUNNING' or string.sub(found[2] or '', 1, #holder) ~= holder then return false end
let_through()
redis.call('HSET', audit_key(id), 'cause', cause)
return lose(id, now, max_attempts, failure, expire)
