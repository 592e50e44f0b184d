-- Takes a notification that is due, and lets it be due again at `due_again`. Returns it, or false.
local due, now, due_again = KEYS[1], ARGV[1], ARGV[2]

local found = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, 1)
if #found == 0 then return false end
redis.call('ZADD', due, due_again, found[1])
return found[1]
