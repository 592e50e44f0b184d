-- Notes that a model is to be inspected. Returns asked, known when somebody has asked already, or full.
local sha, now, expires, most = unpack(ARGV, 1, 4)

local asked = P .. 'inspecting'
redis.call('ZREMRANGEBYSCORE', asked, '-inf', now)
if redis.call('ZSCORE', asked, sha) then return 'known' end
if redis.call('ZCARD', asked) >= tonumber(most) then return 'full' end
redis.call('ZADD', asked, expires, sha)
return 'asked'
