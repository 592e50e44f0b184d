-- Extends the lease of a holder that another process stands by; `holder` is how its name begins. Returns whether it
-- holds the audit.
-- require libraries/one_audit
local id, holder, lease_end = ARGV[1], ARGV[2], instant(ARGV[3])

local found = redis.call('HMGET', audit_key(id), 'state', 'holder')
if found[1] ~= 'RUNNING' or string.sub(found[2] or '', 1, #holder) ~= holder then return 0 end
let_through()
redis.call('ZADD', P .. 'running', lease_end, id)
return 1
