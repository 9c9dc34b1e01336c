-- What goes through this proxy, counted by HAProxy itself and only read here, about once a second:
-- requests and connections since the line before, what is open, queued and in flight now.
-- src/datapath/path-log.ts names the members, latency-config.ts and policy-config.ts beside it fill the tables.
local measures = {}

-- A log that was rotated must still tell the phase, however much else was printed since.
local SAID_AGAIN_AFTER_S = 3600

local CLASSES = { '1xx', '2xx', '3xx', '4xx', '5xx' }

local NOTHING = { req_tot = 0, stot = 0, scur = 0 }

local seen = { requests = 0, connections = 0, answers = { 0, 0, 0, 0, 0 } }
local counted, refused = {}, {}
local last, last_said_at
local measured_at = core.now()

local function seconds_since(before)
    local now = core.now()
    return now.sec - before.sec + (now.usec - before.usec) / 1e6
end

local function totals()
    local sum = { requests = 0, connections = 0, open = 0, answers = { 0, 0, 0, 0, 0 } }
    for name, frontend in pairs(core.frontends) do
        -- What comes back from a stage was counted when it came.
        local stats = name:find('^after%-') and NOTHING or frontend:get_stats()
        -- Of a store's path, which is front and back in one, HAProxy gives the back's numbers: no requests, sessions as connections.
        sum.requests = sum.requests + (stats.req_tot or 0)
        sum.connections = sum.connections + stats.stot
        sum.open = sum.open + stats.scur
        for index, class in ipairs(CLASSES) do
            sum.answers[index] = sum.answers[index] + (stats['hrsp_' .. class] or 0)
        end
    end
    return sum
end

local function state_of(status)
    if status:find('^UP') or status == 'no check' then return 'up' end
    if status:find('^DRAIN') or status:find('^NOLB') then return 'draining' end
    if status:find('^MAINT') then return 'absent' end
    return 'down'
end

-- Servers of an elastic service are numbered by HAProxy as their addresses come: only the address says which instance it is.
local BY_ADDRESS = os.getenv('CHANGELESS_ELASTIC') ~= nil

local function key_of(name, stats)
    return BY_ADDRESS and stats.addr and (stats.addr:gsub(':%d+$', '')) or name
end

-- Every server by name: an app that has several hosts is one server of several of the core's backends.
local function servers_by_name()
    local found, queue, is_checked = {}, 0, false
    for _, backend in pairs(core.backends) do
        queue = queue + backend:get_stats().qcur
        for own_name, server in pairs(backend.servers) do
            local stats = server:get_stats()
            local name = key_of(own_name, stats)
            local state, known = state_of(stats.status), found[name]
            queue = queue + stats.qcur
            is_checked = is_checked or stats.status ~= 'no check'
            -- Its name has no address: there is no such instance, unless it still finishes something.
            if state ~= 'absent' or stats.scur > 0 then
                found[name] = { in_flight = stats.scur + (known and known.in_flight or 0), state = state }
            end
        end
    end
    return found, queue, is_checked
end

-- While nothing is open, only servers that are checked change: the others are not asked, which keeps an idle core cheap.
local idle_text

local function servers_now(is_idle)
    if is_idle and idle_text then return idle_text end
    local found, queue, is_checked = servers_by_name()
    local names, texts = {}, {}
    for name in pairs(found) do names[#names + 1] = name end
    table.sort(names)
    for index, name in ipairs(names) do
        texts[index] = string.format('"%s":{"inFlight":%d,"state":"%s"}', name, found[name].in_flight, found[name].state)
    end
    local text = '"queue":' .. math.floor(queue) .. ',"servers":{' .. table.concat(texts, ',') .. '}'
    idle_text = is_idle and not is_checked and text or nil
    return text
end

-- How many answers took how long, since this was last asked; an entry that was pushed out and came back counts from 0.
local function latencies()
    local times, counts, total = {}, {}, 0
    for key, entry in pairs(core.backends.latency.stktable:dump()) do
        local took, count = tonumber(key), entry.gpc0
        local known = counted[took] or 0
        local more = count < known and count or count - known
        counted[took] = count
        if more > 0 then
            times[#times + 1], counts[took], total = took, more, total + more
        end
    end
    table.sort(times)
    return times, counts, total
end

-- Percentiles by nearest rank.
local function percentiles()
    local times, counts, total = latencies()
    if total == 0 then return '' end
    local function at(percent)
        local left = math.ceil(total * percent / 100)
        for _, took in ipairs(times) do
            left = left - counts[took]
            if left <= 0 then return took end
        end
    end
    return string.format('"latencyMs":{"p50":%d,"p95":%d,"p99":%d},', at(50), at(95), at(99))
end

local function answers(now)
    local texts, total = {}, 0
    for index, class in ipairs(CLASSES) do
        local more = now.answers[index] - seen.answers[index]
        texts[index], total = string.format('"%s":%d', class, more), total + more
    end
    local text = '"answers":{' .. table.concat(texts, ',') .. '},'
    return total > 0 and core.backends.latency and text .. percentiles() or text
end

-- How many requests each rule of the app's policy refused, since this was last asked.
local function refusals()
    local texts = {}
    for rule, entry in pairs(core.backends.refused.stktable:dump()) do
        local more = entry.gpc0 - (refused[rule] or 0)
        refused[rule] = entry.gpc0
        if more > 0 then texts[#texts + 1] = string.format('"%s":%d', rule, more) end
    end
    if #texts == 0 then return '' end
    table.sort(texts)
    return '"refused":{' .. table.concat(texts, ',') .. '},'
end

-- The measures since the line before; nil where there is nothing to say that was not said.
function measures.since_last()
    local now = totals()
    local requests, connections = now.requests - seen.requests, now.connections - seen.connections
    local is_idle = requests + connections + now.open == 0
    local said = string.format('"requests":%d,"connections":%d,"open":%d,', requests, connections, now.open)
        .. answers(now)
        .. (core.backends.refused and refusals() or '')
        .. servers_now(is_idle)
    local span = seconds_since(measured_at)
    seen, measured_at = now, core.now()
    local is_new = requests + connections > 0 or said ~= last
    if not is_new and seconds_since(last_said_at) < SAID_AGAIN_AFTER_S then return nil end
    last, last_said_at = said, core.now()
    return string.format('{"spanMs":%d,%s}', math.floor(span * 1000 + 0.5), said)
end

return measures
