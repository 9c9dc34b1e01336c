-- The service `metrics`: what this proxy counts, in Prometheus' text format (version 0.0.4). The service `targets`, of the core: what
-- there is to be asked for, as Prometheus' HTTP service discovery wants it.
local counts = require('counts')
local measures = require('measures')
local report = require('report')

local APP, ENTRY = os.getenv('CHANGELESS_APP'), os.getenv('CHANGELESS_ENTRY')
local PREFIX = APP and 'changeless_' or 'changeless_core_'

-- The upper ends, in milliseconds, of the histograms: those that Prometheus' own clients have when nothing is said.
local BUCKETS_MS = { 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000 }

local function quoted(value)
    return '"' .. value:gsub('[\\"\n]', { ['\\'] = '\\\\', ['"'] = '\\"', ['\n'] = '\\n' }) .. '"'
end

-- Labels as pairs of a name and a value, in this order.
local function labelled(labels)
    local texts = {}
    for index = 1, #labels, 2 do texts[#texts + 1] = labels[index] .. '=' .. quoted(labels[index + 1]) end
    return #texts == 0 and '' or '{' .. table.concat(texts, ',') .. '}'
end

local function number_text(number)
    return string.format('%.14g', number)
end

local Page = {}
Page.__index = Page

function Page:family(name, kind, help)
    self.name = PREFIX .. name
    self[#self + 1] = '# HELP ' .. self.name .. ' ' .. help
    self[#self + 1] = '# TYPE ' .. self.name .. ' ' .. kind
end

function Page:sample(labels, number, suffix)
    self[#self + 1] = self.name .. (suffix or '') .. labelled(labels) .. ' ' .. number_text(number)
end

-- The app's labels with more of them.
local function with(...)
    return APP and { 'app', APP, ... } or { ... }
end

-- Whose a backend is: of an app's path a service, of the core an app. Of a table, and of what serves nobody's requests: nothing.
local function owner_of(name, backend)
    if APP then return name == 'entry' and ENTRY or name:match('^service%-(.*)$') end
    return (name:find('^host:') or name:find('^tls:')) and next(backend.servers) or nil
end

local OWNER_LABEL = APP and 'service' or 'app'

-- The backends' numbers by owner, sorted: an app of several hosts has several in the core.
local function owners()
    local found, names = {}, {}
    for name, backend in pairs(core.backends) do
        local owner = owner_of(name, backend)
        if owner then
            if not found[owner] then
                names[#names + 1] = owner
                found[owner] = { name = owner, queue = 0, retries = 0, redispatches = 0, answers = { 0, 0, 0, 0, 0 }, servers = {} }
            end
            local sum, stats = found[owner], backend:get_stats()
            sum.queue = sum.queue + stats.qcur
            sum.retries = sum.retries + (stats.wretr or 0)
            sum.redispatches = sum.redispatches + (stats.wredis or 0)
            for index, class in ipairs(counts.CLASSES) do sum.answers[index] = sum.answers[index] + (stats['hrsp_' .. class] or 0) end
            for _, server in ipairs(measures.servers_of(backend)) do
                sum.queue = sum.queue + server.queue
                sum.servers[#sum.servers + 1] = server
            end
        end
    end
    table.sort(names)
    for index, name in ipairs(names) do names[index] = found[name] end
    return names
end

local function frontends()
    local sum = { connections = 0, open = 0, answers = { 0, 0, 0, 0, 0 } }
    for name, frontend in pairs(core.frontends) do
        local stats = frontend:get_stats()
        if measures.is_front(name) then
            sum.connections, sum.open = sum.connections + stats.stot, sum.open + stats.scur
            for index, class in ipairs(counts.CLASSES) do sum.answers[index] = sum.answers[index] + (stats['hrsp_' .. class] or 0) end
        end
    end
    return sum
end

-- By route: answers of each class, and of instances how many within each bucket and how long all of them took.
local function by_route()
    local found = {}
    for _, name in ipairs(counts.routes()) do
        found[name] = { answers = { 0, 0, 0, 0, 0 }, buckets = {}, total = 0, took_ms = 0 }
        for index in ipairs(BUCKETS_MS) do found[name].buckets[index] = 0 end
    end
    for key, more in pairs(counts.answers) do
        local took, class, route = counts.parts(key)
        local sum = found[route]
        if sum.answers[class] then sum.answers[class] = sum.answers[class] + more end
        sum.total, sum.took_ms = sum.total + more, sum.took_ms + took * more
        for index, most in ipairs(BUCKETS_MS) do
            if took <= most then sum.buckets[index] = sum.buckets[index] + more end
        end
    end
    for number, more in pairs(counts.own_4xx) do
        local answers = found[counts.route(number)].answers
        answers[4] = answers[4] + more
    end
    for number, more in pairs(counts.own_5xx) do
        local answers = found[counts.route(number)].answers
        answers[5] = answers[5] + more
    end
    return found
end

-- One sample for each status class; returns nothing.
local function classes(page, labels, answers)
    for index, class in ipairs(counts.CLASSES) do
        local all = { table.unpack(labels) }
        all[#all + 1], all[#all + 2] = 'class', class
        page:sample(all, answers[index])
    end
end

-- What was answered and has no name among these: who asked for what is nobody's, or what was no request. HAProxy counts an answer in all
-- when it is over, and by its name when it begins: while there are such it is too little, and a counter must not go down.
local rest = { 0, 0, 0, 0, 0 }

local function rest_of(total, named)
    for index in ipairs(rest) do
        local left = total[index]
        for _, each in ipairs(named) do left = left - each.answers[index] end
        rest[index] = math.max(rest[index], left)
    end
    return rest
end

local function histogram(page, labels, sum)
    local function at(le, number)
        local all = { table.unpack(labels) }
        all[#all + 1], all[#all + 2] = 'le', le
        page:sample(all, number, '_bucket')
    end
    for index, most in ipairs(BUCKETS_MS) do at(number_text(most / 1000), sum.buckets[index]) end
    at('+Inf', sum.total)
    page:sample(labels, sum.took_ms / 1000, '_sum')
    page:sample(labels, sum.total, '_count')
end

local function requests(page, total, routes, owned)
    page:family('requests_total', 'counter', 'Answered requests; of none: those that came to no ' .. (APP and 'route.' or 'app.'))
    local named = {}
    for _, name in ipairs(APP and counts.routes() or {}) do
        named[#named + 1] = routes[name]
        classes(page, with('route', name), routes[name].answers)
    end
    for _, owner in ipairs(APP and {} or owned) do
        named[#named + 1] = owner
        classes(page, { 'app', owner.name }, owner.answers)
    end
    classes(page, with(APP and 'route' or 'app', 'none'), rest_of(total.answers, named))
end

local function latencies(page, routes)
    page:family('latency_seconds', 'histogram', 'From the last of a request to the first of the answer of an instance.')
    for _, name in ipairs(counts.routes()) do histogram(page, APP and with('route', name) or {}, routes[name]) end
end

local function of_owners(page, owned)
    local function each(name, kind, help, field)
        page:family(name, kind, help)
        for _, owner in ipairs(owned) do page:sample(with(OWNER_LABEL, owner.name), owner[field]) end
    end
    each('queue', 'gauge', 'Requests that wait for an instance.', 'queue')
    each('retries_total', 'counter', 'Tries after the first with the same instance.', 'retries')
    each('redispatches_total', 'counter', 'Tries with another instance.', 'redispatches')
end

local STATES = { 'up', 'down', 'draining' }

local function instances(page, owned)
    page:family('in_flight_requests', 'gauge', 'Requests that an instance has.')
    for _, owner in ipairs(owned) do
        table.sort(owner.servers, function(a, b) return a.name < b.name end)
        for _, server in ipairs(owner.servers) do
            page:sample(with('service', owner.name, 'instance', server.name), server.in_flight)
        end
    end
    page:family('instances', 'gauge', 'Instances by what the health checks say.')
    for _, owner in ipairs(owned) do
        local sum = { up = 0, down = 0, draining = 0 }
        for _, server in ipairs(owner.servers) do sum[server.state] = (sum[server.state] or 0) + 1 end
        for _, state in ipairs(STATES) do page:sample(with('service', owner.name, 'state', state), sum[state]) end
    end
end

local function refusals(page)
    local rules = {}
    for rule in pairs(counts.refused) do rules[#rules + 1] = rule end
    table.sort(rules)
    page:family('refused_total', 'counter', 'Requests that a rule of the policy refused: a limit, a patch, a denial.')
    for _, rule in ipairs(rules) do
        local kind, name = rule:match('^([^:]*):?(.*)$')
        page:sample(with('kind', kind, 'name', name), counts.refused[rule])
    end
end

local function own(page, total)
    page:family('connections_total', 'counter', 'Connections that were accepted.')
    page:sample(with(), total.connections)
    page:family('connections', 'gauge', 'Connections that are open.')
    page:sample(with(), total.open)
    page:family('log_lines_dropped_total', 'counter', 'Lines of the access log that nobody took in time.')
    page:sample(with(), tonumber(core.get_info().DroppedLogs) or 0)
    page:family('generation', 'gauge', 'Which generation this is.')
    page:sample(with('generation', os.getenv('CHANGELESS_GENERATION') or ''), 1)
end

local function text()
    counts.look()
    local page, total, routes, owned = setmetatable({}, Page), frontends(), by_route(), owners()
    requests(page, total, routes, owned)
    latencies(page, routes)
    of_owners(page, owned)
    if APP then
        instances(page, owned)
        refusals(page)
    end
    own(page, total)
    return table.concat(page, '\n') .. '\n'
end

local function answer(applet, status, kind, body)
    applet:set_status(status)
    applet:add_header('content-type', kind)
    applet:add_header('cache-control', 'no-store')
    applet:add_header('content-length', #body)
    applet:start_response()
    applet:send(body)
end

core.register_service('metrics', 'http', function(applet)
    answer(applet, 200, 'text/plain; version=0.0.4; charset=utf-8', text())
end)

-- Where the core is reached from outside only who asks knows.
local function targets(address)
    local texts = {}
    local function add(path, name)
        texts[#texts + 1] = '{"targets":[' .. report.utf8(address) .. '],"labels":{"__metrics_path__":"' .. path .. '","instance":"' .. name .. '"}}'
    end
    add('/core', 'core')
    for app in (os.getenv('CHANGELESS_APPS') or ''):gmatch('[^,]+') do add('/apps/' .. app, app) end
    return '[' .. table.concat(texts, ',') .. ']'
end

core.register_service('targets', 'http', function(applet)
    local host = applet.headers.host and applet.headers.host[0] or ''
    if not host:find('^[%w.:%[%]-]+$') then
        return answer(applet, 400, 'application/json', '{"error":"expected a Host header, at which the targets are"}')
    end
    answer(applet, 200, 'application/json', targets(host))
end)
