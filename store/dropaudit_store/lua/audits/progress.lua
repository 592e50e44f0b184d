-- Notes progress. Returns the sequence number, or 0 when the lease is lost.
-- require libraries/one_audit
local id, lease, now, payload = ARGV[1], ARGV[2], instant(ARGV[3]), ARGV[4]

if not held(id, lease) then return 0 end
return event(id, 'progress', payload, now)
