-- Keeps a lock that is still one's own, or with 0 seconds leaves it. Returns whether it was.
local lock, token, seconds = KEYS[1], ARGV[1], ARGV[2]

if redis.call('GET', lock) ~= token then return 0 end
if seconds == '0' then return redis.call('DEL', lock) end
return redis.call('EXPIRE', lock, seconds)
