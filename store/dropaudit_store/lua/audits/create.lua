-- Makes audits, all or none. After the named arguments come for each audit: id request digest request_id priority
-- terms models blobs run. `names` tells in JSON what models are believed to be called, by their SHA-256. Returns made
-- and the ids that exist afterwards, or what is in the way.
-- require libraries/audit
local now, limit, checks_models, names, count, trace = unpack(ARGV, 1, 6)

local WIDTH = 9
limit, count, names = tonumber(limit), tonumber(count), cjson.decode(names)
local function item(i) return unpack(ARGV, 7 + (i - 1) * WIDTH, 6 + i * WIDTH) end
local answer, fresh, seen, looked = {'made'}, {}, {}, {}
local function obstacle(sha)
  local model = redis.call('GET', P .. 'model:' .. sha)
  if not model then return 'missing' end
  if names[sha] and names[sha] ~= (cjson.decode(model).display_name or '') then return 'renamed' end
  return ''
end
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
    local refused
    if checks_models == '1' then
      each(models, function(sha)
        looked[sha] = looked[sha] or obstacle(sha)
        if looked[sha] ~= '' then refused = sha end
      end)
    end
    if refused then return {looked[refused], refused} end
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
