-- Finishes an audit: whoever is to do the work again finds it by `work`; `phases` has a line `NAME seconds` for each.
-- Returns 1, or 0 when the lease is lost.
-- require libraries/one_audit
local id, lease, now, state, field, value, expire, terms, replicates, brief, work =
  ARGV[1], ARGV[2], instant(ARGV[3]), ARGV[4], ARGV[5], ARGV[6], instant(ARGV[7]), ARGV[8], ARGV[9], ARGV[10], ARGV[11]
local provider, phases, hits, misses = ARGV[12], ARGV[13], ARGV[14], ARGV[15]

local ending = lease .. ' ' .. state
if redis.call('HGET', audit_key(id), 'ended') == ending then return 1 end
if not held(id, lease) then return 0 end
let_through()
redis.call('HSET', audit_key(id), 'ended', ending)
if field ~= '' then redis.call('HSET', audit_key(id), field, value) end
if (brief or '') ~= '' then redis.call('HSET', audit_key(id), 'brief', brief) end
each(terms, function(term) index(term, id) end)
if (work or '') ~= '' then
  redis.call('HSET', audit_key(id), 'work', work)
  redis.call('SET', P .. 'work:' .. work, id)
end
redis.call('HSET', audit_key(id), 'terms', redis.call('HGET', audit_key(id), 'terms') .. '\n' .. terms)
count('replicates', replicates)
if (provider or '') ~= '' then redis.call('HSET', audit_key(id), 'provider', provider) end
observe_phases(phases)
count_prepared(hits, misses)
finish(id, state, now, expire)
return 1
