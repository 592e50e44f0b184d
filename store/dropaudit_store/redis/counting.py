"""Counting in `totals`, as steps of the scripts: classes of times, and sums."""

from __future__ import annotations

# Upper ends of the classes that waits and runs are counted in, in seconds.
BOUNDS = (0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
# A phase may be much shorter than its audit.
PHASE_BOUNDS = (0.005, 0.02, *BOUNDS)


def _table(name: str, bounds: tuple[float, ...]) -> str:
    return f"local {name} = {{{', '.join(f'{bound:g}' for bound in bounds)}}}\n"


COUNT_TOTALS = (
    _table("BOUNDS", BOUNDS)
    + _table("PHASE_BOUNDS", PHASE_BOUNDS)
    + """
local function count(field, by) redis.call('HINCRBYFLOAT', P .. 'totals', field, by) end
local function observe(name, seconds, bounds)
  -- Clocks of two machines may differ.
  seconds = math.max(0, seconds)
  local class = 'inf'
  for _, bound in ipairs(bounds or BOUNDS) do
    if seconds <= bound then class = bound; break end
  end
  count(name .. ':class:' .. class, 1)
  count(name .. ':sum', seconds)
end
local function observe_phases(phases)
  for name, seconds in string.gmatch(phases or '', '(%S+) ([^\\n]+)') do
    observe('phase:' .. name, tonumber(seconds), PHASE_BOUNDS)
  end
end
local function count_prepared(hits, misses)
  if (hits or '0') ~= '0' then count('prepared:hit', hits) end
  if (misses or '0') ~= '0' then count('prepared:miss', misses) end
end
"""
)
