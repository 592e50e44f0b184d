-- Extends a lease. Returns kept, cancel when the holder is asked to stop, or lost.
-- require libraries/one_audit
local id, lease, lease_end = ARGV[1], ARGV[2], instant(ARGV[3])

if not held(id, lease) then return 'lost' end
let_through()
redis.call('ZADD', P .. 'running', lease_end, id)
return redis.call('HEXISTS', audit_key(id), 'cancel') == 1 and 'cancel' or 'kept'
