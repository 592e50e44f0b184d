-- Makes audits, all or none. After the named arguments come for each audit: id request digest request_id priority
-- terms models blobs run. Returns made and the ids that exist afterwards, or what is in the way.
-- require libraries/audit
local now, limit, checks_models, count, trace = unpack(ARGV, 1, 5)

local WIDTH = 9
limit, count = tonumber(limit), tonumber(count)
local function item(i) return unpack(ARGV, 6 + (i - 1) * WIDTH, 5 + i * WIDTH) end
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
    if checks_models == '1' then
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
  if trace ~= '' then redis.call('HSET', audit_key(id), 'trace', trace) end
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
