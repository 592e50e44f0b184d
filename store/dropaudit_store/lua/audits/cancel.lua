-- Cancels an audit: a waiting one at once, a running one's holder is asked to stop, a finished one is left alone.
-- Returns 1, or 0 when there is no such audit.
-- require libraries/one_audit
local id, now, expire = ARGV[1], instant(ARGV[2]), instant(ARGV[3])

local state = redis.call('HGET', audit_key(id), 'state')
if not state then return 0 end
let_through()
if state == 'QUEUED' then finish(id, 'CANCELLED', now, expire) end
if state == 'RUNNING' then redis.call('HSET', audit_key(id), 'cancel', now) end
return 1
