-- Notes the audits of members. After the named arguments come for each member: index value state verdict. `value` is
-- an audit's id, or `reused` and one, or why there is none; `state` what is counted at once, empty for an audit that
-- counts itself. A member that has an audit keeps it.
-- require libraries/run_counts
local name, now, seconds = unpack(ARGV, 1, 3)

local audits, counts = P .. 'run-audits:' .. name, counts_key(name)
if redis.call('EXISTS', counts) == 0 then return 0 end
local ended = 0
for i = 4, #ARGV, 4 do
  if redis.call('HSETNX', audits, ARGV[i], ARGV[i + 1]) == 1 and ARGV[i + 2] ~= '' then
    redis.call('HINCRBY', counts, ARGV[i + 2], 1)
    if ARGV[i + 3] ~= '' then
      redis.call('HINCRBY', counts, 'verdict:' .. ARGV[i + 3], 1)
      redis.call('HINCRBY', counts, 'reused', 1)
    end
    ended = ended + 1
  end
end
if seconds ~= '' then redis.call('EXPIRE', audits, seconds) end
redis.call('HINCRBY', counts, 'change', 1)
if ended > 0 and redis.call('HINCRBY', counts, 'left', -ended) == 0 then end_run(name, now) end
return ended
