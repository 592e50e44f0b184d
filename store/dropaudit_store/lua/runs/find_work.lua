-- Finds work that was done. After `expire` come keys of work. Returns for each the audit that did it and its verdict,
-- or an empty word; the audit lives until `expire` at least.
-- require libraries/common
local expire = ARGV[1]

local answer = {}
for i = 2, #ARGV do
  local id = redis.call('GET', P .. 'work:' .. ARGV[i])
  local found = id and redis.call('HMGET', audit_key(id), 'state', 'terms', 'expire')
  local word = ''
  if found and found[1] == 'SUCCEEDED' then
    word = id .. ' ' .. (string.match(found[2], 'verdict:(%u+)') or '')
    if found[3] and expire ~= '' and tonumber(found[3]) < tonumber(expire) then
      redis.call('HSET', audit_key(id), 'expire', expire)
      redis.call('ZADD', P .. 'expiring', expire, id)
    end
  end
  answer[#answer + 1] = word
end
return answer
