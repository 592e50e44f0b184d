-- Deletes a finished audit. Returns deleted, the state of an audit that has not finished, or false when there is no
-- such audit.
-- require libraries/one_audit
local id, now = ARGV[1], instant(ARGV[2])

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
