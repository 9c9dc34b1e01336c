-- What goes through this proxy, counted by HAProxy itself and only read here, about once a second:
-- requests and connections since the line before, what is open, queued and in flight now.
-- src/datapath/path-log.ts names the members.
local counts = require('counts')
local report = require('report')
local measures = {}

-- A log that was rotated must still tell the phase, however much else was printed since.
local SAID_AGAIN_AFTER_S = 3600

local seen = { requests = 0, connections = 0, answers = { 0, 0, 0, 0, 0 } }
local counted = { answers = {}, own_4xx = {}, own_5xx = {} }
local last, last_said_at
local number = 0
local measured_at = core.now()

-- Whether clients come in there.
function measures.is_front(name)
    return name ~= 'metrics' and not name:find('^after%-')
end

local function totals()
    local sum = { requests = 0, connections = 0, open = 0, answers = { 0, 0, 0, 0, 0 } }
    for name, frontend in pairs(core.frontends) do
        local stats = frontend:get_stats()
        -- Who only asks what was counted is not, and what comes back from a stage was counted when it came.
        if measures.is_front(name) then
            -- Of a store's path, which is front and back in one, HAProxy gives the back's numbers: no requests, sessions as connections.
            sum.requests = sum.requests + (stats.req_tot or 0)
            sum.connections = sum.connections + stats.stot
            sum.open = sum.open + stats.scur
            for index, class in ipairs(counts.CLASSES) do
                sum.answers[index] = sum.answers[index] + (stats['hrsp_' .. class] or 0)
            end
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

-- The servers of a backend that there are: name, what it has and its state. One whose name has no address is none, unless it still
-- finishes something.
function measures.servers_of(backend)
    local found = {}
    for own_name, server in pairs(backend.servers) do
        local stats = server:get_stats()
        local state = state_of(stats.status)
        if state ~= 'absent' or stats.scur > 0 then
            found[#found + 1] = {
                name = key_of(own_name, stats),
                state = state,
                in_flight = stats.scur,
                queue = stats.qcur,
                is_checked = stats.status ~= 'no check',
            }
        end
    end
    return found
end

-- Every server by name (an app that has several hosts is one server of several of the core's backends), and what of all of them there is.
-- Retries are all there were, for whoever misses a line is to miss none of them.
local function servers_by_name()
    local found, sum, is_checked = {}, { queue = 0, retries = 0, redispatches = 0 }, false
    for name, backend in pairs(core.backends) do
        local stats = backend:get_stats()
        sum.queue = sum.queue + stats.qcur
        sum.retries, sum.redispatches = sum.retries + (stats.wretr or 0), sum.redispatches + (stats.wredis or 0)
        for _, server in ipairs(name == 'app-metrics' and {} or measures.servers_of(backend)) do
            local known = found[server.name]
            sum.queue = sum.queue + server.queue
            is_checked = is_checked or server.is_checked
            found[server.name] = { in_flight = server.in_flight + (known and known.in_flight or 0), state = server.state }
        end
    end
    return found, sum, is_checked
end

-- While nothing is open, only servers that are checked change: the others are not asked, which keeps an idle core cheap.
local idle_text

local function servers_now(is_idle)
    if is_idle and idle_text then return idle_text end
    local found, sum, is_checked = servers_by_name()
    local names, texts = {}, {}
    for name in pairs(found) do names[#names + 1] = name end
    table.sort(names)
    for index, name in ipairs(names) do
        texts[index] = string.format('"%s":{"inFlight":%d,"state":"%s"}', name, found[name].in_flight, found[name].state)
    end
    local text = string.format('"retries":%d,"redispatches":%d,"queue":%d,"servers":{', sum.retries, sum.redispatches, sum.queue)
        .. table.concat(texts, ',')
        .. '}'
    idle_text = is_idle and not is_checked and text or nil
    return text
end

local function empty_span()
    return { total = 0, times = {}, counts = {}, answers = { 0, 0, 0, 0, 0 } }
end

local function add(span, took, class, more)
    if not span.counts[took] then span.times[#span.times + 1] = took end
    span.counts[took] = (span.counts[took] or 0) + more
    span.total = span.total + more
    if span.answers[class] then span.answers[class] = span.answers[class] + more end
end

-- What was counted more than at the last look, by key.
local function more_of(name)
    local more = {}
    for key, total in pairs(counts[name]) do
        if total > (counted[name][key] or 0) then more[key] = total - (counted[name][key] or 0) end
        counted[name][key] = total
    end
    return more
end

-- The answers since this was last asked: of all, and of each route.
local function spans()
    local all, by_route = empty_span(), {}
    local function of(route)
        by_route[route] = by_route[route] or empty_span()
        return by_route[route]
    end
    for key, more in pairs(more_of('answers')) do
        local took, class, route = counts.parts(key)
        add(all, took, class, more)
        add(of(route), took, class, more)
    end
    for class, name in pairs({ [4] = 'own_4xx', [5] = 'own_5xx' }) do
        for number, more in pairs(more_of(name)) do
            local span = of(counts.route(number))
            span.answers[class] = span.answers[class] + more
        end
    end
    return all, by_route
end

-- Percentiles by nearest rank.
local function percentiles(span)
    if span.total == 0 then return '' end
    table.sort(span.times)
    local function at(percent)
        local left = math.ceil(span.total * percent / 100)
        for _, took in ipairs(span.times) do
            left = left - span.counts[took]
            if left <= 0 then return took end
        end
    end
    return string.format(',"latencyMs":{"p50":%d,"p95":%d,"p99":%d}', at(50), at(95), at(99))
end

local function answers_text(answers)
    local texts = {}
    for index, class in ipairs(counts.CLASSES) do texts[index] = string.format('"%s":%d', class, answers[index]) end
    return '"answers":{' .. table.concat(texts, ',') .. '}'
end

local function routes_text(by_route)
    local names, texts = {}, {}
    for name in pairs(by_route) do names[#names + 1] = name end
    table.sort(names)
    for index, name in ipairs(names) do
        texts[index] = report.utf8(name) .. ':{' .. answers_text(by_route[name].answers) .. percentiles(by_route[name]) .. '}'
    end
    return #names == 0 and '' or '"routes":{' .. table.concat(texts, ',') .. '},'
end

local function answers(now)
    local mores, total = {}, 0
    for index in ipairs(counts.CLASSES) do
        mores[index] = now.answers[index] - seen.answers[index]
        total = total + mores[index]
    end
    local text = answers_text(mores)
    if total == 0 or not core.backends.latency then return text .. ',' end
    counts.look()
    local all, by_route = spans()
    return text .. percentiles(all) .. ',' .. (counts.has_routes and routes_text(by_route) or '')
end

-- How many requests each rule of the app's policy refused, all there were.
local function refusals()
    local names, texts = {}, {}
    for rule, total in pairs(counts.refused) do
        if total > 0 then names[#names + 1] = rule end
    end
    table.sort(names)
    for index, rule in ipairs(names) do texts[index] = string.format('"%s":%d', rule, counts.refused[rule]) end
    return #names == 0 and '' or '"refused":{' .. table.concat(texts, ',') .. '},'
end

-- The measures since the line before, and whether there is anything that was not said. Where there is not, it is said again now
-- and then.
function measures.since_last()
    local now = totals()
    local requests, connections = now.requests - seen.requests, now.connections - seen.connections
    local is_idle = requests + connections + now.open == 0
    local said = string.format('"requests":%d,"connections":%d,"open":%d,', requests, connections, now.open)
        .. answers(now)
        .. refusals()
        .. servers_now(is_idle)
    local span = counts.seconds_since(measured_at)
    seen, measured_at = now, core.now()
    local is_new = requests + connections > 0 or said ~= last
    if not is_new and counts.seconds_since(last_said_at) < SAID_AGAIN_AFTER_S then return nil, 0 end
    last, last_said_at = said, core.now()
    number = number + 1
    return string.format('{"number":%d,"spanMs":%d,%s}', number, math.floor(span * 1000 + 0.5), said), requests
end

return measures
