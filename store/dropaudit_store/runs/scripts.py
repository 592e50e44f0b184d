"""Steps that change runs, each one atomic in Redis.

A run is a head `run:SUITE:RUN` beside, by its name suites/SUITE/runs/RUN, `run-members:NAME`, a list;
`run-audits:NAME`, which holds by index the audit of a member, `reused AUDIT`, or why there is none; `run-counts:NAME`,
which also the steps of its audits count in; and `run-result:NAME`. `active:SUITE` holds the runs that have not ended,
with 1 for those of the schedule; `waiting:SUITE` the one that waits for them; `runs-resolving` and `runs-ended` those
that somebody must go on with.
"""

from __future__ import annotations

from dropaudit_store.redis.scripts import COMMON, COUNT_RUNS

_RUNS = COMMON + COUNT_RUNS

# ARGV suite run now place seconds is_scheduled policy resolving waiting skipped: the last three are the heads that the
# run may begin with. Returns the head that is there afterwards, or false where there is no such suite.
START = (
    _RUNS
    + """
local suite, id, now, place, seconds, scheduled, policy, resolving, waiting, skipped = unpack(ARGV)
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
"""
)

# ARGV suite run before after is_promoted now. Puts a head in the place of another; one that is promoted has waited, and
# goes on only where no run of the schedule is active. Returns whether it is done.
SWAP = (
    _RUNS
    + """
local suite, id, before, after, promoted = unpack(ARGV)
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
"""
)

# ARGV suite run before after written count seconds: `written` is the list that becomes the run's members, unless it has
# some. Returns whether it did.
MEMBERS = (
    _RUNS
    + """
local suite, id, before, after, written, count, seconds = unpack(ARGV)
local head, name = P .. 'run:' .. suite .. ':' .. id, 'suites/' .. suite .. '/runs/' .. id
if redis.call('GET', head) ~= before or redis.call('HGET', counts_key(name), 'listed') then
  redis.call('DEL', written)
  return 0
end
redis.call('SET', head, after, 'KEEPTTL')
if tonumber(count) > 0 then
  redis.call('RENAME', written, P .. 'run-members:' .. name)
  if seconds ~= '' then redis.call('EXPIRE', P .. 'run-members:' .. name, seconds)
  else redis.call('PERSIST', P .. 'run-members:' .. name) end
end
redis.call('HSET', counts_key(name), 'listed', 1, 'total', count, 'left', count)
redis.call('HINCRBY', counts_key(name), 'change', 1)
return 1
"""
)

# ARGV name now seconds, then for each member: index value state verdict. `value` is an audit's id, or `reused` and one,
# or why there is none; `state` what is counted at once, empty for an audit that counts itself. A member that has an
# audit keeps it.
ASSIGN = (
    _RUNS
    + """
local name, now, seconds = ARGV[1], ARGV[2], ARGV[3]
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
"""
)

# ARGV name now. The run has been made: nobody needs to go on with it. One without members has ended.
MADE = (
    _RUNS
    + """
local name = ARGV[1]
redis.call('ZREM', P .. 'runs-resolving', name)
if redis.call('HGET', counts_key(name), 'left') == '0' then end_run(name, ARGV[2]) end
"""
)

# ARGV name result seconds suite now, then for each notification: id record place. The first result counts. Returns
# whether it is this one.
CONCLUDE = (
    _RUNS
    + """
local name, suite, now = ARGV[1], ARGV[4], ARGV[5]
redis.call('ZREM', P .. 'runs-ended', name)
local result = P .. 'run-result:' .. name
if redis.call('EXISTS', counts_key(name)) == 0 then return 0 end
if not redis.call('SET', result, ARGV[2], 'NX') then return 0 end
if ARGV[3] ~= '' then redis.call('EXPIRE', result, ARGV[3]) end
redis.call('HINCRBY', counts_key(name), 'change', 1)
for i = 6, #ARGV, 3 do
  redis.call('SET', P .. 'delivery:' .. suite .. ':' .. ARGV[i], ARGV[i + 1])
  redis.call('ZADD', P .. 'deliveries:' .. suite, 0, ARGV[i + 2])
  redis.call('ZADD', P .. 'deliveries-due', now, suite .. '/' .. ARGV[i])
end
return 1
"""
)

# ARGV suite run place. Deletes a run, whatever it is doing; its audits stay.
DELETE_RUN = (
    _RUNS
    + """
local suite, id, name = ARGV[1], ARGV[2], 'suites/' .. ARGV[1] .. '/runs/' .. ARGV[2]
redis.call('DEL', P .. 'run:' .. suite .. ':' .. id, counts_key(name), P .. 'run-members:' .. name,
  P .. 'run-audits:' .. name, P .. 'run-result:' .. name)
redis.call('ZREM', P .. 'runs:' .. suite, ARGV[3])
redis.call('ZREM', P .. 'active:' .. suite, id)
redis.call('ZREM', P .. 'runs-resolving', name)
redis.call('ZREM', P .. 'runs-ended', name)
if redis.call('GET', P .. 'waiting:' .. suite) == id then redis.call('DEL', P .. 'waiting:' .. suite) end
"""
)

# ARGV expire, then keys of work. Returns for each the audit that did it and its verdict, or an empty word; the audit
# lives until `expire` at least.
FIND_WORK = (
    COMMON
    + """
local answer = {}
for i = 2, #ARGV do
  local id = redis.call('GET', P .. 'work:' .. ARGV[i])
  local found = id and redis.call('HMGET', audit_key(id), 'state', 'terms', 'expire')
  local word = ''
  if found and found[1] == 'SUCCEEDED' then
    word = id .. ' ' .. (string.match(found[2], 'verdict:(%u+)') or '')
    if found[3] and ARGV[1] ~= '' and tonumber(found[3]) < tonumber(ARGV[1]) then
      redis.call('HSET', audit_key(id), 'expire', ARGV[1])
      redis.call('ZADD', P .. 'expiring', ARGV[1], id)
    end
  end
  answer[#answer + 1] = word
end
return answer
"""
)
