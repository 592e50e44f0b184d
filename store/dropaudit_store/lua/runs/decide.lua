-- Notes the instant up to which is decided what is due. It never goes back, whoever is late.
local due, decided = KEYS[1], ARGV[1]

local before = tonumber(redis.call('GET', due) or 0)
if tonumber(decided) > before then redis.call('SET', due, decided) end
