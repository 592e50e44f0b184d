-- Stores the result of a run; the first one counts. After the named arguments come for each notification: id record
-- place. Returns whether it is this one.
-- require libraries/run_counts
local name, result, seconds, suite, now = unpack(ARGV, 1, 5)

redis.call('ZREM', P .. 'runs-ended', name)
local place = P .. 'run-result:' .. name
if redis.call('EXISTS', counts_key(name)) == 0 then return 0 end
if not redis.call('SET', place, result, 'NX') then return 0 end
if seconds ~= '' then redis.call('EXPIRE', place, seconds) end
redis.call('HINCRBY', counts_key(name), 'change', 1)
for i = 6, #ARGV, 3 do
  redis.call('SET', P .. 'delivery:' .. suite .. ':' .. ARGV[i], ARGV[i + 1])
  redis.call('ZADD', P .. 'deliveries:' .. suite, 0, ARGV[i + 2])
  redis.call('ZADD', P .. 'deliveries-due', now, suite .. '/' .. ARGV[i])
end
return 1
