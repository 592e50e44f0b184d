-- Hands an audit back as it was. Returns the new state, or false when the lease is lost.
-- require libraries/one_audit
local id, lease, now, expire = ARGV[1], ARGV[2], instant(ARGV[3]), instant(ARGV[4])

if not held(id, lease) then return false end
return give_up(id, now, expire) or queue(id, now)
