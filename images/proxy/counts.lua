-- What HAProxy counts in its tables, added up since this proxy began: a table's entry may be pushed out and come back from 0.
-- src/datapath/latency-config.ts and policy-rule.ts beside it fill the tables, metrics-config.ts names routes and rules.
local counts = {
    -- By `<milliseconds>:<status class>:<number of the route>`: answers of instances.
    answers = {},
    -- By the number of the route: what the proxy answered itself.
    own_4xx = {},
    own_5xx = {},
    -- By rule: requests that it refused.
    refused = {},
}

counts.CLASSES = { '1xx', '2xx', '3xx', '4xx', '5xx' }

local seen = {}

local function add_up(table_name, field, totals)
    local counted = core.backends[table_name]
    if not counted then return end
    for key, entry in pairs(counted.stktable:dump()) do
        local known, now = seen[table_name .. field .. key] or 0, entry[field]
        totals[key] = (totals[key] or 0) + (now < known and now or now - known)
        seen[table_name .. field .. key] = now
    end
end

function counts.look()
    add_up('latency', 'gpc0', counts.answers)
    add_up('own', 'gpc0', counts.own_4xx)
    add_up('own', 'gpc1', counts.own_5xx)
    add_up('refused', 'gpc0', counts.refused)
end

for rule in (os.getenv('CHANGELESS_RULES') or ''):gmatch('[^,]+') do counts.refused[rule] = 0 end

-- What no route takes goes to the entry.
local routes = {}
while os.getenv('CHANGELESS_ROUTE_' .. #routes) do routes[#routes + 1] = os.getenv('CHANGELESS_ROUTE_' .. #routes) end

counts.has_routes = #routes > 0

function counts.route(number)
    return routes[(tonumber(number) or -1) + 1] or '/'
end

-- The names of all routes, each once: two that differ only in what they do with headers may have one.
function counts.routes()
    local names, known = { '/' }, { ['/'] = true }
    for _, name in ipairs(routes) do
        if not known[name] then names[#names + 1] = name end
        known[name] = true
    end
    return names
end

-- What a key of `answers` says: milliseconds, the class as a number, the route's name.
function counts.parts(key)
    local took, class, number = key:match('^(%d+):(%d+):?(.*)$')
    return tonumber(took), tonumber(class), counts.route(number)
end

function counts.seconds_since(before)
    local now = core.now()
    return now.sec - before.sec + (now.usec - before.usec) / 1e6
end

return counts
