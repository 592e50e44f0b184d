-- Keeps audits. After `expire` come their ids. With an empty word for `expire` they are kept for good; otherwise
-- those that are kept for good live until then.
-- require libraries/common
local expire = ARGV[1]

for i = 2, #ARGV do
  local audit = P .. 'audit:' .. ARGV[i]
  local found = redis.call('HMGET', audit, 'end', 'expire')
  if expire == '' then
    redis.call('HDEL', audit, 'expire')
    redis.call('ZREM', P .. 'expiring', ARGV[i])
  elseif found[1] and not found[2] then
    redis.call('HSET', audit, 'expire', expire)
    redis.call('ZADD', P .. 'expiring', expire, ARGV[i])
  end
end
