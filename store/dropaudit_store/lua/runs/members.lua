-- Lists the members of a run: `written` is the list that becomes them, unless it has some. Returns whether it did.
-- require libraries/run_counts
local suite, id, before, after, written, count, seconds = unpack(ARGV, 1, 7)

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
