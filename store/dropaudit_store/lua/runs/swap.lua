-- Puts a head in the place of another; one that is promoted has waited, and goes on only where no run of the schedule
-- is active. Returns whether it is done.
-- require libraries/run_counts
local suite, id, before, after, promoted = unpack(ARGV, 1, 5)

local head = P .. 'run:' .. suite .. ':' .. id
if redis.call('GET', head) ~= before then return 0 end
if promoted == '1' then
  if redis.call('ZCOUNT', P .. 'active:' .. suite, 1, 1) > 0 then return 0 end
  redis.call('ZADD', P .. 'active:' .. suite, 1, id)
end
if redis.call('GET', P .. 'waiting:' .. suite) == id then redis.call('DEL', P .. 'waiting:' .. suite) end
redis.call('SET', head, after, 'KEEPTTL')
redis.call('HINCRBY', counts_key('suites/' .. suite .. '/runs/' .. id), 'change', 1)
return 1
