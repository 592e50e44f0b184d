-- What the audits of a run change of it: `run-counts:NAME` holds how many are in each state, have each verdict, are left.
--
-- A run is a head `run:SUITE:RUN` beside, by its name suites/SUITE/runs/RUN, `run-members:NAME`, a list;
-- `run-audits:NAME`, which holds by index the audit of a member, `reused AUDIT`, or why there is none; `run-counts:NAME`,
-- which also the steps of its audits count in; and `run-result:NAME`. `active:SUITE` holds the runs that have not ended,
-- with 1 for those of the schedule; `waiting:SUITE` the one that waits for them; `runs-resolving` and `runs-ended` those
-- that somebody must go on with.
-- require libraries/common

local function counts_key(name) return P .. 'run-counts:' .. name end
local function end_run(name, now)
  local suite, id = string.match(name, '^suites/([^/]+)/runs/(.+)$')
  redis.call('HSETNX', counts_key(name), 'end', now)
  redis.call('ZREM', P .. 'active:' .. suite, id)
  redis.call('ZADD', P .. 'runs-ended', now, name)
end
local function count_in_run(run, before, state)
  if not run or redis.call('EXISTS', counts_key(run)) == 0 then return end
  if before then redis.call('HINCRBY', counts_key(run), before, -1) end
  redis.call('HINCRBY', counts_key(run), state, 1)
  redis.call('HINCRBY', counts_key(run), 'change', 1)
end
local function finish_in_run(run, verdict, now)
  if not run or redis.call('EXISTS', counts_key(run)) == 0 then return end
  if verdict ~= '' then redis.call('HINCRBY', counts_key(run), 'verdict:' .. verdict, 1) end
  if redis.call('HINCRBY', counts_key(run), 'left', -1) == 0 then end_run(run, now) end
end
