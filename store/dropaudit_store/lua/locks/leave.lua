-- Lets a lock expire after `milliseconds`, unless somebody else has taken it.
local lock, token, milliseconds = KEYS[1], ARGV[1], ARGV[2]

if redis.call('GET', lock) == token then redis.call('PEXPIRE', lock, milliseconds) end
