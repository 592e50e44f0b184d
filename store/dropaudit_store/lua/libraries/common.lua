-- Keys, indices of terms, references to blobs; and instants.

local function audit_key(id) return P .. 'audit:' .. id end
local function index(term, id) redis.call('ZADD', P .. 'index:' .. term, 0, id) end
local function unindex(term, id) redis.call('ZREM', P .. 'index:' .. term, id) end
local function each(list, call) for word in string.gmatch(list or '', '[^\n]+') do call(word) end end
local function ref(sha, name) redis.call('SADD', P .. 'refs:' .. sha, name) end
local function unref(sha, name, now)
  redis.call('SREM', P .. 'refs:' .. sha, name)
  if redis.call('EXISTS', P .. 'refs:' .. sha) == 0 then redis.call('ZADD', P .. 'garbage', now, sha) end
end

-- Puts an instant in the place of text such as `+30`: so many seconds from Redis's now. Every lease begins and ends by
-- one clock, whatever those of the machines say.
local function instant(text)
  if string.sub(text, 1, 1) ~= '+' then return text end
  local now = redis.call('TIME')
  return string.format('%.3f', now[1] + now[2] / 1000000 + tonumber(string.sub(text, 2)))
end
