"""The state machine's transitions: each a script that Redis runs as one atomic step.

An audit is a hash (request, state, attempts, token, seq, create, start, end, report, failure) beside a stream of
events whose ids are `sequence-0`. `queued` holds the ids that wait, by the time they were last announced; `running`
those that are held, by the time their lease ends. A fencing token grows with each claim: who comes with an older
one has lost the lease.
"""

from __future__ import annotations

# event(key, events, kind, payload, now): appends with the next sequence number.
_EVENT = """
local function event(key, events, kind, payload, now)
  local sequence = redis.call('HINCRBY', key, 'seq', 1)
  redis.call('XADD', events, sequence .. '-0', 'kind', kind, 'payload', payload, 'time', now)
  return sequence
end
local function held(key, token)
  return redis.call('HGET', key, 'state') == 'RUNNING' and redis.call('HGET', key, 'token') == token
end
"""

# KEYS audit events queued audits request; ARGV id request now digest. Returns the id of the audit that exists
# afterwards, or false when the request id belongs to another request.
CREATE = (
    _EVENT
    + """
if KEYS[5] ~= '' then
  local known = redis.call('HMGET', KEYS[5], 'id', 'digest')
  if known[1] then
    if known[2] ~= ARGV[4] then return false end
    return known[1]
  end
  redis.call('HSET', KEYS[5], 'id', ARGV[1], 'digest', ARGV[4])
end
redis.call('HSET', KEYS[1], 'request', ARGV[2], 'state', 'QUEUED', 'create', ARGV[3], 'attempts', 0, 'token', 0)
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
redis.call('ZADD', KEYS[4], ARGV[3], ARGV[1])
event(KEYS[1], KEYS[2], 'state', 'QUEUED', ARGV[3])
return ARGV[1]
"""
)

# KEYS audit events queued running; ARGV id now lease_end. Returns the token, or false when there is nothing to claim.
CLAIM = (
    _EVENT
    + """
if redis.call('HGET', KEYS[1], 'state') ~= 'QUEUED' then return false end
redis.call('HSET', KEYS[1], 'state', 'RUNNING', 'start', ARGV[2])
redis.call('HINCRBY', KEYS[1], 'attempts', 1)
local token = redis.call('HINCRBY', KEYS[1], 'token', 1)
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[4], ARGV[3], ARGV[1])
event(KEYS[1], KEYS[2], 'state', 'RUNNING', ARGV[2])
return token
"""
)

# KEYS audit running; ARGV id token lease_end. Returns 1, or 0 when the lease is lost.
EXTEND = (
    _EVENT
    + """
if not held(KEYS[1], ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
return 1
"""
)

# KEYS audit events; ARGV token now payload. Returns the sequence number, or 0 when the lease is lost.
PROGRESS = (
    _EVENT
    + """
if not held(KEYS[1], ARGV[1]) then return 0 end
return event(KEYS[1], KEYS[2], 'progress', ARGV[3], ARGV[2])
"""
)

# KEYS audit events running; ARGV id token now state field value. Returns 1, or 0 when the lease is lost.
FINISH = (
    _EVENT
    + """
if not held(KEYS[1], ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'state', ARGV[4], 'end', ARGV[3], ARGV[5], ARGV[6])
redis.call('ZREM', KEYS[3], ARGV[1])
event(KEYS[1], KEYS[2], 'finished', ARGV[4], ARGV[3])
return 1
"""
)

# KEYS audit events queued running; ARGV id now max_attempts failure. Returns the new state, or false when the lease
# has not expired or the audit is not running.
RELEASE = (
    _EVENT
    + """
if redis.call('HGET', KEYS[1], 'state') ~= 'RUNNING' then
  redis.call('ZREM', KEYS[4], ARGV[1])
  return false
end
local lease_end = redis.call('ZSCORE', KEYS[4], ARGV[1])
if lease_end and tonumber(lease_end) > tonumber(ARGV[2]) then return false end
redis.call('ZREM', KEYS[4], ARGV[1])
if tonumber(redis.call('HGET', KEYS[1], 'attempts')) >= tonumber(ARGV[3]) then
  redis.call('HSET', KEYS[1], 'state', 'FAILED', 'end', ARGV[2], 'failure', ARGV[4])
  event(KEYS[1], KEYS[2], 'finished', 'FAILED', ARGV[2])
  return 'FAILED'
end
redis.call('HSET', KEYS[1], 'state', 'QUEUED')
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
event(KEYS[1], KEYS[2], 'state', 'QUEUED', ARGV[2])
return 'QUEUED'
"""
)
