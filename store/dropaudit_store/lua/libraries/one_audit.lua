-- A step of one audit, ARGV[1]: of one in a format of a newer major version than MAJOR nothing is changed.
-- require libraries/audit

local format = redis.call('HGET', audit_key(ARGV[1]), 'format')
if format and tonumber(string.match(format, '^%d+') or '0') > MAJOR then
  return redis.error_reply('NEWER audits/' .. ARGV[1] .. ' ' .. format .. ' ' .. MAJOR)
end
