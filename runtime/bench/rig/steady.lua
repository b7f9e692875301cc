-- wrk script beside post.lua: the rate between two ends of runs. Answers come in bursts, one for each run, so a count between two moments
-- misses what the run under way has done: with 5 s and runs of 0.2 s some 2 %, which a bare loop, that counts whole runs, does not lose.
dofile((os.getenv("BENCH_RIG") or ".") .. "/post.lua")
local ffi = require("ffi")
ffi.cdef("typedef struct { long s; long ns; } moment; int clock_gettime(int, moment *);")
local at, threads = ffi.new("moment"), {}
local WARM, PAUSE = 1, 0.02      -- seconds: left out at the start; a longer one between answers ends a burst
first, last, upto, count, bad = 0, 0, 0, 0, 0      -- globals: done() can read no others of a thread
local begin, before, seen = nil, 0, 0

function setup(thread) threads[#threads + 1] = thread end

function response(status)
  ffi.C.clock_gettime(1, at)
  local now = tonumber(at.s) + tonumber(at.ns) * 1e-9
  if status ~= 200 then bad = bad + 1 end
  begin = begin or now
  if seen > 0 and now - before > PAUSE then
    if before - begin >= WARM then
      if first == 0 then first, upto = before, seen end
      last, count = before, seen - upto
    end
  end
  before, seen = now, seen + 1
end

function done(s)
  local t = threads[1]
  local e = s.errors
  io.write(string.format('RESULT {"answers":%d,"seconds":%.6f,"errors":%d,"requests":%d,"us":%d}\n', t:get("count"),
    t:get("last") - t:get("first"), t:get("bad") + e.connect + e.read + e.write + e.timeout, s.requests, s.duration))
end
