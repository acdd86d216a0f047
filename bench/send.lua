-- Each request writes one message into a thread taken by chance, under a key of its own, as that thread's teacher.
local targets, prefix, count = {}, nil, 0

-- Each run has keys of its own: the same ones again would measure how fast an old answer is found.
math.randomseed(os.time())

function setup(thread)
  thread:set("seed", math.random(1, 1e9))
end

function init(args)
  for line in io.lines(args[1]) do
    local token, thread = line:match("(%S+) (%S+)")
    targets[#targets + 1] = { token, thread }
  end
  math.randomseed(seed)
  prefix = string.format("bench-%d-", seed)
end

function request()
  count = count + 1
  local target = targets[math.random(#targets)]
  return wrk.format("POST", "/messaging/v1/threads/" .. target[2] .. "/messages", {
    ["Authorization"] = "Bearer " .. target[1],
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = prefix .. count,
  }, '{"text": "Maya read a whole book aloud today. We are so proud of her! See you on Friday at 15:10."}')
end

local refused = 0
function response(status)
  if status ~= 201 then refused = refused + 1 end
end

function done(summary, latency)
  io.write(string.format("requests=%d seconds=%f p50=%f p99=%f errors=%d\n", summary.requests, summary.duration / 1e6,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
