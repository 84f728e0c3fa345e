#!lua name=tokenq_VERSION
-- VERSION is replaced by a fingerprint of this file when it is loaded: an older release's functions, kept in the
-- append-only file, can never answer for newer ones.
-- The waiting line of a department. All keys of one department share a hash tag, so they share a slot.
--   meta hash: seq = the last log entry applied;  ctr: the last number handed out;  q: who waits
-- The score in q orders classes first and places inside a class second; the member is the token id,
-- zero-padded so that equal scores sort by id as they do in Postgres.

local TWO_DAYS = 172800
local CLASSES = 3
local CLASS_WIDTH = 281474976710656 -- 2^48 places a class

-- Lua would write a large number as 2.8e+14; a score must be exact.
local function whole(number)
  return string.format('%.0f', number)
end

local function bounds(class)
  return whole(class * CLASS_WIDTH), '(' .. whole((class + 1) * CLASS_WIDTH)
end

-- What a damaged value counts as: the caller rebuilds the line.
local DAMAGED = -2
local WRONG_TYPE = {}

-- A key may hold another type than ours: somebody wrote it by hand. Every other failure is the caller's.
local function careful(...)
  local reply = redis.pcall(...)
  if type(reply) == 'table' and reply.err then
    if not string.find(reply.err, 'WRONGTYPE', 1, true) then error(reply) end
    return WRONG_TYPE
  end
  return reply
end

local function standing(meta)
  local seq = careful('HGET', meta, 'seq')
  if not seq then return -1 end
  -- Lua would also read 'inf', '0x10' and '1e9', and a double holds no more digits than these.
  if type(seq) ~= 'string' or #seq > 15 or not string.find(seq, '^%d+$') then return DAMAGED end
  return tonumber(seq)
end

-- ask: KEYS meta ctr q; ARGV last_no last_seq numbers heads waiting... -> {first_no, at, in_step, id, id, ...}
-- The caller holds the department's row in Postgres: what it says of the last number is true.
local function ask(keys, args)
  local last_no, last_seq = tonumber(args[1]), tonumber(args[2])
  local numbers, heads = tonumber(args[3]), tonumber(args[4])
  local first = last_no + 1
  local at = standing(keys[1])
  -- A database that went back in time: what is known here of the last number is all there is, and must stay.
  if at > last_seq then return {first, at, 0} end
  -- Whoever asks: numbers that were asked for and never given must not stay counted until the next ones are.
  if (careful('GET', keys[2]) or '0') ~= args[1] then
    redis.call('SET', keys[2], args[1], 'EX', TWO_DAYS)
  end
  if numbers > 0 then
    first = redis.call('INCRBY', keys[2], numbers) - numbers + 1
    redis.call('EXPIRE', keys[2], TWO_DAYS)
  end
  -- The right seq over the wrong members would answer wrongly for ever: how many wait in each class must agree.
  for class = 0, CLASSES - 1 do
    if at == last_seq and careful('ZCOUNT', keys[3], bounds(class)) ~= tonumber(args[5 + class]) then at = DAMAGED end
  end
  local answer = {first, at, 0}
  if at == last_seq then
    answer[3] = 1
    for class = 0, CLASSES - 1 do
      if heads > 0 then
        local from, to = bounds(class)
        local ids = redis.call('ZRANGE', keys[3], from, to, 'BYSCORE', 'LIMIT', 0, heads)
        for _, id in ipairs(ids) do answer[#answer + 1] = id end
      end
    end
  end
  return answer
end

-- collect: KEYS changes; ARGV op score id ... : changes of one advance that are too many for one call
local function collect(keys, args)
  redis.call('RPUSH', keys[1], unpack(args))
  redis.call('EXPIRE', keys[1], 60)
  return 0
end

-- advance: KEYS meta ctr q [changes]; ARGV prev new last_no then op score id ... -> where the line stands afterwards
local function advance(keys, args)
  local at, prev, new = standing(keys[1]), tonumber(args[1]), tonumber(args[2])
  local changes, from = args, 4
  if keys[4] then
    changes, from = redis.call('LRANGE', keys[4], 0, -1), 1
    redis.call('DEL', keys[4])
  end
  if at ~= prev then return at end
  for i = from, #changes, 3 do
    local done
    if changes[i] == '+' then
      done = careful('ZADD', keys[3], changes[i + 1], changes[i + 2])
    else
      done = careful('ZREM', keys[3], changes[i + 2])
    end
    if done == WRONG_TYPE then return DAMAGED end
  end
  redis.call('HSET', keys[1], 'seq', args[2])
  redis.call('SET', keys[2], args[3], 'EX', TWO_DAYS)
  redis.call('EXPIRE', keys[3], TWO_DAYS)
  return new
end

-- stage: KEYS new_q; ARGV score id ... : part of a rebuilt line, put aside
local function stage(keys, args)
  for i = 1, #args, 2 do redis.call('ZADD', keys[1], args[i], args[i + 1]) end
  redis.call('EXPIRE', keys[1], 600)
  return redis.call('ZCARD', keys[1])
end

-- install: KEYS meta ctr q new_q; ARGV last_no last_seq : the staged line becomes the line
local function install(keys, args)
  redis.call('DEL', keys[1], keys[3])
  if redis.call('EXISTS', keys[4]) == 1 then
    redis.call('RENAME', keys[4], keys[3])
    redis.call('EXPIRE', keys[3], TWO_DAYS)
  end
  redis.call('SET', keys[2], args[1], 'EX', TWO_DAYS)
  redis.call('HSET', keys[1], 'seq', args[2])
  return tonumber(args[2])
end

redis.register_function('tokenq_ask_VERSION', ask)
redis.register_function('tokenq_collect_VERSION', collect)
redis.register_function('tokenq_advance_VERSION', advance)
redis.register_function('tokenq_stage_VERSION', stage)
redis.register_function('tokenq_install_VERSION', install)
