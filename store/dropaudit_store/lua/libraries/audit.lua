-- The steps that audits take from state to state. BOUNDS are the upper ends of the classes that waits and runs are counted
-- in, in seconds; PHASE_BOUNDS those of phases.
--
-- An audit is a hash (format, request, state, attempts, lost, token, holder, seq, create, start, end, expire, report,
-- brief, failure, cause, run, work, provider, and the lists terms, models and blobs) beside a stream of events whose ids
-- are `sequence-0`; `deleted` is a stream that names those that are gone. `queued` holds the ids that wait, by the time
-- they were last announced; `running` those that are held, by the time their lease ends; `expiring` those that finished,
-- by the time they will be deleted. A fencing token grows with each claim: who comes with an older one has lost the lease.
-- A lease is `token holder`: a replica that knew nothing of one claim gives its token to the next. Workers of an earlier
-- version send the token alone.
-- `index:…` holds the ids of the audits with a term, `refs:…` the names of what needs a blob; a blob that nothing needs
-- any more is noted in `garbage`. `totals` counts how audits ended, how long they waited and ran, in all and by phase, and
-- how often leases ran out: in the same steps, and so each once.
--
-- Instants come as numbers, or as `+seconds`: from Redis's own now.
--
-- Every transition may be asked for twice: who hears no answer asks again, and finds done what it had asked for.
--
-- Redis at its memory limit refuses a script at its first write that may take memory, and lets it go on after any other.
-- A new audit is refused as a whole; what is accepted already goes on, since `let_through` writes first.
-- require libraries/run_counts

local function count(field, by) redis.call('HINCRBYFLOAT', P .. 'totals', field, by) end
local function observe(name, seconds, bounds)
  -- Clocks of two machines may differ.
  seconds = math.max(0, seconds)
  local class = 'inf'
  for _, bound in ipairs(bounds or BOUNDS) do
    if seconds <= bound then class = bound; break end
  end
  count(name .. ':class:' .. class, 1)
  count(name .. ':sum', seconds)
end
local function observe_phases(phases)
  for name, seconds in string.gmatch(phases or '', '(%S+) ([^\n]+)') do
    observe('phase:' .. name, tonumber(seconds), PHASE_BOUNDS)
  end
end
local function count_prepared(hits, misses)
  if (hits or '0') ~= '0' then count('prepared:hit', hits) end
  if (misses or '0') ~= '0' then count('prepared:miss', misses) end
end
local function append(id, sequence, kind, payload, now)
  redis.call('XADD', P .. 'events:' .. id, 'MAXLEN', '~', 1000, sequence .. '-0',
    'kind', kind, 'payload', payload, 'time', now)
  return sequence
end
local function event(id, kind, payload, now)
  return append(id, redis.call('HINCRBY', audit_key(id), 'seq', 1), kind, payload, now)
end
local function enter(id, state)
  local before = redis.call('HGET', audit_key(id), 'state')
  if before then unindex('state:' .. before, id) end
  redis.call('HSET', audit_key(id), 'state', state)
  index('state:' .. state, id)
  count_in_run(redis.call('HGET', audit_key(id), 'run'), before, state)
end
local function let_through() redis.call('ZREM', P .. 'queued', '') end
local function held(id, lease)
  local token, holder = string.match(lease, '^(%d+) ?(.*)$')
  local found = redis.call('HMGET', audit_key(id), 'state', 'token', 'holder')
  return found[1] == 'RUNNING' and found[2] == token and (holder == '' or found[3] == holder)
end
local function count_end(id, state, now)
  local found = redis.call('HMGET', audit_key(id), 'state', 'start', 'terms', 'failure', 'provider')
  if found[1] == 'RUNNING' then observe('run', tonumber(now) - tonumber(found[2])) end
  local how = ''
  if state == 'SUCCEEDED' then how = string.match(found[3], 'verdict:(%u+)') or '' end
  if state == 'FAILED' then how = cjson.decode(found[4]).reason end
  count('finished:' .. state .. ':' .. how .. ':' .. (found[5] or ''), 1)
  return state == 'SUCCEEDED' and how or ''
end
local function finish(id, state, now, expire)
  local verdict = count_end(id, state, now)
  enter(id, state)
  redis.call('HSET', audit_key(id), 'end', now)
  redis.call('ZREM', P .. 'queued', id)
  redis.call('ZREM', P .. 'running', id)
  each(redis.call('HGET', audit_key(id), 'models'), function(sha) unref(sha, 'audits/' .. id, now) end)
  if expire ~= '' then
    redis.call('HSET', audit_key(id), 'expire', expire)
    redis.call('ZADD', P .. 'expiring', expire, id)
  end
  event(id, 'finished', state, now)
  finish_in_run(redis.call('HGET', audit_key(id), 'run'), verdict, now)
end
local function queue(id, now)
  enter(id, 'QUEUED')
  redis.call('ZREM', P .. 'running', id)
  redis.call('ZADD', P .. 'queued', now, id)
  event(id, 'state', 'QUEUED', now)
  return 'QUEUED'
end
local function give_up(id, now, expire)
  let_through()
  if redis.call('HEXISTS', audit_key(id), 'cancel') == 0 then return false end
  finish(id, 'CANCELLED', now, expire)
  return 'CANCELLED'
end
local function lose(id, now, most, failure, expire)
  local cancelled = give_up(id, now, expire)
  if cancelled then return cancelled end
  count('lost', 1)
  if redis.call('HINCRBY', audit_key(id), 'lost', 1) < tonumber(most) then return queue(id, now) end
  redis.call('HSET', audit_key(id), 'failure', failure)
  finish(id, 'FAILED', now, expire)
  return 'FAILED'
end
