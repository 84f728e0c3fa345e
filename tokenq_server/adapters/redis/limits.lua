#!lua name=tokenq_limits_VERSION
-- VERSION is replaced by a fingerprint of this file when it is loaded, as in tokenq.lua.
-- Rate limits: leaky buckets as in domain/budgets.py. A count is a text "used at free_at", times in milliseconds; it
-- disappears when nothing is used any more. All processes share this server's clock.

local STEEPEST, ALMOST = 20, 0.000001
local MOST_USED, LONGEST_PAUSE = 1e9, 7 * 86400000

local function clock(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function level(key, now, interval)
  local text = redis.pcall('GET', key)
  if type(text) == 'table' then -- another type than ours: somebody wrote it by hand, or Redis says why it cannot
    if not string.find(text.err, 'WRONGTYPE', 1, true) then error(text) end
    redis.call('DEL', key)
  end
  if type(text) ~= 'string' then text = '' end
  local used, at, free_at = string.match(text, '^(%S+) (%S+) (%S+)$')
  used, at, free_at = tonumber(used or '') or 0, tonumber(at or '') or now, tonumber(free_at or '') or 0
  -- Lua reads 'inf' and 'nan', too.
  if not (used <= MOST_USED and math.abs(at) <= now + LONGEST_PAUSE and free_at <= now + LONGEST_PAUSE) then
    used, at, free_at = 0, now, 0
  end
  return math.max(0, used - math.max(0, now - at) / interval), free_at
end

local function keep(key, used, now, free_at, interval)
  local life = math.ceil(math.max(used * interval, free_at - now))
  if life > 0 then
    redis.call('SET', key, string.format('%.6f %.0f %.0f', used, now, free_at), 'PX', string.format('%.0f', life))
  else
    redis.call('DEL', key)
  end
end

local function standing(used, wait, pause)
  return {string.format('%.6f', used), string.format('%.3f', wait), string.format('%.3f', math.max(0, pause))}
end

-- take: KEYS count; ARGV now interval free longest_wait cost -> {used, wait, pause}; now is '' outside of tests
local function take(keys, args)
  local now, interval, free = clock(args[1]), tonumber(args[2]), tonumber(args[3])
  local longest, cost = tonumber(args[4]), tonumber(args[5])
  local used, free_at = level(keys[1], now, interval)
  if free_at > now then return standing(used, free_at - now, free_at - now) end
  if longest > 0 then
    used = used + cost
    local over, pause = math.ceil(used - ALMOST) - free, 0 -- what is forgotten in part still counts
    if over >= 0 then pause = math.min(2 ^ math.min(over, STEEPEST) * 1000, longest) end
    keep(keys[1], used, now, now + pause, interval)
    return standing(used, 0, pause)
  end
  local after = used + math.min(cost, free)
  if after > free + ALMOST then return standing(used, (after - free) * interval, 0) end
  keep(keys[1], after, now, now, interval)
  return standing(after, 0, 0)
end

-- add: KEYS count; ARGV as take -> as take; whatever the budget; a negative cost gives back
local function add(keys, args)
  local now, interval, cost = clock(args[1]), tonumber(args[2]), tonumber(args[5])
  local used, free_at = level(keys[1], now, interval)
  used = math.max(0, used + cost)
  if cost < 0 then free_at = now end
  keep(keys[1], used, now, free_at, interval)
  return standing(used, 0, free_at - now)
end

-- forget: KEYS count or fact
local function forget(keys)
  return redis.call('DEL', keys[1])
end

-- remember: KEYS fact; ARGV milliseconds
local function remember(keys, args)
  redis.call('SET', keys[1], '1', 'PX', args[1])
  return 1
end

-- remembers: KEYS fact -> 0 or 1
local function remembers(keys)
  return redis.call('EXISTS', keys[1])
end

redis.register_function('tokenq_limit_take_VERSION', take)
redis.register_function('tokenq_limit_add_VERSION', add)
redis.register_function('tokenq_limit_forget_VERSION', forget)
redis.register_function('tokenq_limit_remember_VERSION', remember)
redis.register_function('tokenq_limit_remembers_VERSION', remembers)
