-- Begins a run: `resolving`, `waiting` and `skipped` are the heads that it may begin with. Returns the head that is
-- there afterwards, or false where there is no such suite.
-- require libraries/run_counts
local suite, id, now, place, seconds, scheduled, policy, resolving, waiting, skipped = unpack(ARGV, 1, 10)

local head, name = P .. 'run:' .. suite .. ':' .. id, 'suites/' .. suite .. '/runs/' .. id
local known = redis.call('GET', head)
if known then return known end
if redis.call('EXISTS', P .. 'suite:' .. suite) == 0 then return false end
local chosen = resolving
if scheduled == '1' and policy ~= 'CANCEL_OLD' then
  local waits = redis.call('EXISTS', P .. 'waiting:' .. suite) == 1
  if waits or redis.call('ZCOUNT', P .. 'active:' .. suite, 1, 1) > 0 then
    chosen = (policy == 'QUEUE' and not waits) and waiting or skipped
  end
end
redis.call('SET', head, chosen)
redis.call('ZADD', P .. 'runs:' .. suite, 0, place)
if seconds ~= '' then redis.call('EXPIRE', head, seconds) end
if chosen == skipped then return chosen end
redis.call('HSET', counts_key(name), 'total', 0, 'left', 0, 'change', 0)
if seconds ~= '' then redis.call('EXPIRE', counts_key(name), seconds) end
redis.call('ZADD', P .. 'runs-resolving', now, name)
if chosen == waiting then redis.call('SET', P .. 'waiting:' .. suite, id)
else redis.call('ZADD', P .. 'active:' .. suite, scheduled, id) end
return chosen
