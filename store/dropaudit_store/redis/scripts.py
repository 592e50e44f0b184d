"""The state machine's transitions: each a script that Redis runs as one atomic step.

An audit is a hash (format, request, state, attempts, lost, token, holder, seq, create, start, end, expire, report,
brief, failure, cause, run, work, provider, and the lists terms, models and blobs) beside a stream of events whose ids
are `sequence-0`; `deleted` is a stream that names those that are gone. `queued` holds the ids that wait, by the time
they were last announced; `running` those that are held, by the time their lease ends; `expiring` those that finished,
by the time they will be deleted. A fencing token grows with each claim: who comes with an older one has lost the lease.
`index:…` holds the ids of the audits with a term, `refs:…` the names of what needs a blob; a blob that nothing needs
any more is noted in `garbage`. `totals` counts how audits ended, how long they waited and ran, in all and by phase, and
how often leases ran out: in the same steps, and so each once.

Instants come as numbers, or as `+seconds`: from Redis's own now.

Every transition may be asked for twice: who hears no answer asks again, and finds done what it had asked for.

Redis at its memory limit refuses a script at its first write that may take memory, and lets it go on after any other.
A new audit is refused as a whole; what is accepted already goes on, since `let_through` writes first.
"""

from __future__ import annotations

from dropaudit_store.redis.connection import PREFIX
from dropaudit_store.redis.counting import COUNT_TOTALS
from dropaudit_store.shared.formats import FORMAT, MAJOR

COMMON = (
    f"local P = '{PREFIX}'"
    + """
local function audit_key(id) return P .. 'audit:' .. id end
local function index(term, id) redis.call('ZADD', P .. 'index:' .. term, 0, id) end
local function unindex(term, id) redis.call('ZREM', P .. 'index:' .. term, id) end
local function each(list, call) for word in string.gmatch(list or '', '[^\\n]+') do call(word) end end
local function ref(sha, name) redis.call('SADD', P .. 'refs:' .. sha, name) end
local function unref(sha, name, now)
  redis.call('SREM', P .. 'refs:' .. sha, name)
  if redis.call('EXISTS', P .. 'refs:' .. sha) == 0 then redis.call('ZADD', P .. 'garbage', now, sha) end
end
"""
)


# What the audits of a run change of it: `run-counts:…` holds how many are in each state, have each verdict, are left.
COUNT_RUNS = """
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
"""


def _instants(*positions: int) -> str:
    """Return a step that puts instants in the place of arguments such as `+30`: so many seconds from Redis's now.

    Every lease begins and ends by one clock, whatever those of the machines say.
    """
    return f"""
for _, i in ipairs({{{", ".join(map(str, positions))}}}) do
  if string.sub(ARGV[i], 1, 1) == '+' then
    local now = redis.call('TIME')
    ARGV[i] = string.format('%.3f', now[1] + now[2] / 1000000 + tonumber(string.sub(ARGV[i], 2)))
  end
end
"""


_AUDIT = (
    COMMON
    + COUNT_RUNS
    + COUNT_TOTALS
    + """
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
local function held(id, token)
  local found = redis.call('HMGET', audit_key(id), 'state', 'token')
  return found[1] == 'RUNNING' and found[2] == token
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
"""
)

# A step of one audit, ARGV[1]: of one in a format of a newer major version nothing is changed.
_ONE = (
    _AUDIT
    + f"local MAJOR = {MAJOR}\n"
    + """
local format = redis.call('HGET', audit_key(ARGV[1]), 'format')
if format and tonumber(string.match(format, '^%d+') or '0') > MAJOR then
  return redis.error_reply('NEWER audits/' .. ARGV[1] .. ' ' .. format .. ' ' .. MAJOR)
end
"""
)

# ARGV now queue_limit check_models count trace, then for each audit: id request digest request_id priority terms models
# blobs run. Makes all or none: returns made and the ids that exist afterwards, or what is in the way.
CREATE = (
    _AUDIT
    + f"local FORMAT = '{FORMAT}'\n"
    + """
local now, limit, count, width = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4]), 9
local function item(i) return unpack(ARGV, 6 + (i - 1) * width, 5 + i * width) end
local answer, fresh, seen = {'made'}, {}, {}
for i = 1, count do
  local id, _, digest, request_id, _, _, models = item(i)
  local known = seen[request_id]
  if request_id ~= '' and not known then
    local found = redis.call('HMGET', P .. 'request:' .. request_id, 'id', 'digest')
    known = found[1] and found
  end
  if known and known[2] ~= digest then return {'reused', request_id} end
  if not known and redis.call('EXISTS', audit_key(id)) == 1 then known = {id, digest} end
  if not known then
    local missing
    if ARGV[3] == '1' then
      each(models, function(sha) if redis.call('EXISTS', P .. 'model:' .. sha) == 0 then missing = sha end end)
    end
    if missing then return {'missing', missing} end
    fresh[#fresh + 1] = i
    if request_id ~= '' then seen[request_id] = {id, digest} end
  end
  answer[#answer + 1] = known and known[1] or id
end
if limit > 0 and #fresh > 0 and redis.call('ZCARD', P .. 'queued') + #fresh > limit then return {'full'} end
for _, i in ipairs(fresh) do
  local id, request, digest, request_id, priority, terms, models, blobs, run = item(i)
  if request_id ~= '' then redis.call('HSET', P .. 'request:' .. request_id, 'id', id, 'digest', digest) end
  redis.call('HSET', audit_key(id), 'request', request, 'create', now, 'attempts', 0, 'token', 0, 'seq', 1,
    'format', FORMAT, 'state', 'QUEUED', 'request_id', request_id, 'priority', priority, 'terms', terms,
    'models', models, 'blobs', blobs)
  if ARGV[5] ~= '' then redis.call('HSET', audit_key(id), 'trace', ARGV[5]) end
  if run ~= '' then
    redis.call('HSET', audit_key(id), 'run', run)
    count_in_run(run, nil, 'QUEUED')
  end
  index('state:QUEUED', id)
  redis.call('ZADD', P .. 'queued', now, id)
  redis.call('ZADD', P .. 'audits', 0, id)
  each(terms, function(term) index(term, id) end)
  each(models, function(sha) ref(sha, 'audits/' .. id) end)
  each(blobs, function(sha) ref(sha, 'audits/' .. id) end)
  append(id, 1, 'state', 'QUEUED', now)
end
return answer
"""
)

# ARGV id now lease_end holder. Returns the token, or false when there is nothing to claim.
CLAIM = (
    _ONE
    + _instants(2, 3)
    + """
local id = ARGV[1]
local found = redis.call('HMGET', audit_key(id), 'state', 'holder', 'token')
if found[1] == 'RUNNING' and found[2] == ARGV[4] then return tonumber(found[3]) end
if found[1] ~= 'QUEUED' then return false end
enter(id, 'RUNNING')
redis.call('HSET', audit_key(id), 'start', ARGV[2], 'holder', ARGV[4])
if redis.call('HINCRBY', audit_key(id), 'attempts', 1) == 1 then
  observe('wait', tonumber(ARGV[2]) - tonumber(redis.call('HGET', audit_key(id), 'create')))
end
local token = redis.call('HINCRBY', audit_key(id), 'token', 1)
redis.call('ZREM', P .. 'queued', id)
redis.call('ZADD', P .. 'running', ARGV[3], id)
event(id, 'state', 'RUNNING', ARGV[2])
return token
"""
)

# ARGV id token lease_end. Returns kept, cancel when the holder is asked to stop, or lost.
EXTEND = (
    _ONE
    + _instants(3)
    + """
if not held(ARGV[1], ARGV[2]) then return 'lost' end
let_through()
redis.call('ZADD', P .. 'running', ARGV[3], ARGV[1])
return redis.call('HEXISTS', audit_key(ARGV[1]), 'cancel') == 1 and 'cancel' or 'kept'
"""
)

# ARGV id holder lease_end. Whoever stands by the holder keeps its lease; `holder` is how its name begins.
KEEP = (
    _ONE
    + _instants(3)
    + """
local found = redis.call('HMGET', audit_key(ARGV[1]), 'state', 'holder')
if found[1] ~= 'RUNNING' or string.sub(found[2] or '', 1, #ARGV[2]) ~= ARGV[2] then return 0 end
let_through()
redis.call('ZADD', P .. 'running', ARGV[3], ARGV[1])
return 1
"""
)

# ARGV id token now payload. Returns the sequence number, or 0 when the lease is lost.
PROGRESS = (
    _ONE
    + _instants(3)
    + """
if not held(ARGV[1], ARGV[2]) then return 0 end
return event(ARGV[1], 'progress', ARGV[4], ARGV[3])
"""
)

# ARGV id token now state field value expire terms replicates brief work provider phases hits misses: whoever is to do
# the work again finds the audit by `work`; `phases` has a line `NAME seconds` for each. Returns 1, or 0 when the lease
# is lost.
FINISH = (
    _ONE
    + _instants(3, 7)
    + """
local id, now = ARGV[1], ARGV[3]
local ending = ARGV[2] .. ' ' .. ARGV[4]
if redis.call('HGET', audit_key(id), 'ended') == ending then return 1 end
if not held(id, ARGV[2]) then return 0 end
let_through()
redis.call('HSET', audit_key(id), 'ended', ending)
if ARGV[5] ~= '' then redis.call('HSET', audit_key(id), ARGV[5], ARGV[6]) end
if (ARGV[10] or '') ~= '' then redis.call('HSET', audit_key(id), 'brief', ARGV[10]) end
each(ARGV[8], function(term) index(term, id) end)
if (ARGV[11] or '') ~= '' then
  redis.call('HSET', audit_key(id), 'work', ARGV[11])
  redis.call('SET', P .. 'work:' .. ARGV[11], id)
end
redis.call('HSET', audit_key(id), 'terms', redis.call('HGET', audit_key(id), 'terms') .. '\\n' .. ARGV[8])
count('replicates', ARGV[9])
if (ARGV[12] or '') ~= '' then redis.call('HSET', audit_key(id), 'provider', ARGV[12]) end
observe_phases(ARGV[13])
count_prepared(ARGV[14], ARGV[15])
finish(id, ARGV[4], now, ARGV[7])
return 1
"""
)

# ARGV id now expire. A waiting audit is cancelled, a running one's holder is asked to stop, a finished one is left
# alone. Returns 1, or 0 when there is no such audit.
CANCEL = (
    _ONE
    + _instants(2, 3)
    + """
local id = ARGV[1]
local state = redis.call('HGET', audit_key(id), 'state')
if not state then return 0 end
let_through()
if state == 'QUEUED' then finish(id, 'CANCELLED', ARGV[2], ARGV[3]) end
if state == 'RUNNING' then redis.call('HSET', audit_key(id), 'cancel', ARGV[2]) end
return 1
"""
)

# ARGV id now max_attempts failure expire. Returns the new state, or false when the lease has not expired or the audit
# is not running.
RELEASE = (
    _ONE
    + _instants(2, 5)
    + """
local id, now = ARGV[1], ARGV[2]
local lease_end = redis.call('ZSCORE', P .. 'running', id)
if redis.call('HGET', audit_key(id), 'state') ~= 'RUNNING' then
  redis.call('ZREM', P .. 'running', id)
  return false
end
if lease_end and tonumber(lease_end) > tonumber(now) then return false end
let_through()
count('expired', 1)
return lose(id, now, ARGV[3], ARGV[4], ARGV[5])
"""
)

# ARGV id now max_attempts failure expire holder cause. Who holds the audit is gone: `holder` is how its name begins.
# Returns the new state, or false when somebody else holds it, or nobody.
LOSE = (
    _ONE
    + _instants(2, 5)
    + """
local id = ARGV[1]
local found = redis.call('HMGET', audit_key(id), 'state', 'holder')
if found[1] ~= 'RUNNING' or string.sub(found[2] or '', 1, #ARGV[6]) ~= ARGV[6] then return false end
let_through()
redis.call('HSET', audit_key(id), 'cause', ARGV[7])
return lose(id, ARGV[2], ARGV[3], ARGV[4], ARGV[5])
"""
)

# ARGV id token now expire. The holder hands the audit back as it was. Returns the new state, or false when the lease
# is lost.
GIVE_BACK = (
    _ONE
    + _instants(3, 4)
    + """
local id, now = ARGV[1], ARGV[3]
if not held(id, ARGV[2]) then return false end
return give_up(id, now, ARGV[4]) or queue(id, now)
"""
)

# ARGV id now. Returns deleted, the state of an audit that has not finished, or false when there is no such audit.
DELETE = (
    _ONE
    + _instants(2)
    + """
local id, now = ARGV[1], ARGV[2]
local found = redis.call('HMGET', audit_key(id), 'state', 'terms', 'blobs', 'request_id', 'work')
if not found[1] then
  redis.call('ZREM', P .. 'expiring', id)
  return false
end
if found[1] == 'QUEUED' or found[1] == 'RUNNING' then return found[1] end
unindex('state:' .. found[1], id)
each(found[2], function(term) unindex(term, id) end)
each(found[3], function(sha) unref(sha, 'audits/' .. id, now) end)
if found[4] ~= '' then redis.call('DEL', P .. 'request:' .. found[4]) end
if found[5] and redis.call('GET', P .. 'work:' .. found[5]) == id then redis.call('DEL', P .. 'work:' .. found[5]) end
redis.call('ZREM', P .. 'audits', id)
redis.call('ZREM', P .. 'expiring', id)
redis.call('DEL', audit_key(id), P .. 'events:' .. id)
-- Who watches it would wait for ever: nobody is woken by a stream that goes away.
redis.call('XADD', P .. 'deleted', 'MAXLEN', '~', 1000, '*', 'audit', id)
return 'deleted'
"""
)
