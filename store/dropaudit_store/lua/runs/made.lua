-- Notes that a run has been made: nobody needs to go on with it. One without members has ended.
-- require libraries/run_counts
local name, now = unpack(ARGV, 1, 2)

redis.call('ZREM', P .. 'runs-resolving', name)
if redis.call('HGET', counts_key(name), 'left') == '0' then end_run(name, now) end
