-- Deletes a run, whatever it is doing; its audits stay.
-- require libraries/run_counts
local suite, id, place = unpack(ARGV, 1, 3)

local name = 'suites/' .. suite .. '/runs/' .. id
redis.call('DEL', P .. 'run:' .. suite .. ':' .. id, counts_key(name), P .. 'run-members:' .. name,
  P .. 'run-audits:' .. name, P .. 'run-result:' .. name)
redis.call('ZREM', P .. 'runs:' .. suite, place)
redis.call('ZREM', P .. 'active:' .. suite, id)
redis.call('ZREM', P .. 'runs-resolving', name)
redis.call('ZREM', P .. 'runs-ended', name)
if redis.call('GET', P .. 'waiting:' .. suite) == id then redis.call('DEL', P .. 'waiting:' .. suite) end
