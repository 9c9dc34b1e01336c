-- Says what the health checks of waiting.cfg see, whenever that changes.
-- CHANGELESS_CHECK_1, _2 and so on name each backend that is checked: <backend>=<what is asked of its
-- servers>. CHANGELESS_LEAST_1 and so on: there are more servers than instances; those that have an address
-- are checked, and so many there have to be. (HAProxy 2.6 passes a file of lua-load no arguments.)
package.path = debug.getinfo(1, 'S').source:match('^@(.*/)') .. '?.lua;' .. package.path
local report = require('report')

local POLL_MS = 10
local PASSED = { L4OK = true, L6OK = true, L7OK = true }

local asked, least, backends, known = {}, {}, {}, {}
while os.getenv('CHANGELESS_CHECK_' .. #backends + 1) do
    local number = #backends + 1
    local backend, question = os.getenv('CHANGELESS_CHECK_' .. number):match('^([^=]+)=(.*)$')
    asked[backend] = question
    least[backend] = tonumber(os.getenv('CHANGELESS_LEAST_' .. number))
    backends[#backends + 1] = backend
end
table.sort(backends)

-- What is wrong with a server, or false. It is UP before its first check, so that alone says nothing.
local function failure(name, question, stats)
    local check, detail = stats.check_status or 'INI', stats.last_chk or ''
    if stats.status:find('^UP') and PASSED[check] then return false end
    if stats.status:find('resolution', 1, true) then check, detail = 'DNS', 'its name has no address' end
    return '{"server":' .. report.text(name)
        .. ',"asked":' .. report.text(question)
        .. ',"check":' .. report.text(check)
        .. (check:find('^L7') and stats.check_code and ',"code":' .. math.floor(stats.check_code) or '')
        .. ',"detail":' .. report.text(detail) .. '}'
end

-- While a check is under way ("* L7OK") its answer is half written: what was known before stands.
local function verdict(name, question, server)
    local stats = server:get_stats()
    local under_way = (stats.check_status or ''):find('^%*')
    if under_way and known[name] ~= nil then return known[name] end
    if under_way then stats.check_status, stats.last_chk = 'INI', '' end
    known[name] = failure(name, question, stats)
    return known[name]
end

local function names_of(servers)
    local names = {}
    for name in pairs(servers) do names[#names + 1] = name end
    table.sort(names)
    return names
end

-- All places are there before a waiter starts, and one answer names them all.
local function elastic_failures(backend, failing)
    local servers, there = core.backends[backend].servers, 0
    for _, name in ipairs(names_of(servers)) do
        local stats = servers[name]:get_stats()
        if not stats.status:find('^MAINT') then
            there = there + 1
            failing[#failing + 1] = verdict((stats.addr:gsub(':%d+$', '')), asked[backend], servers[name]) or nil
        end
    end
    if there < least[backend] then
        failing[#failing + 1] = '{"server":' .. report.text((backend:gsub('^service%-', ''))) .. ',"asked":' .. report.text(asked[backend])
            .. ',"check":"DNS","detail":' .. report.text(there .. ' of at least ' .. least[backend] .. ' instances have an address') .. '}'
    end
end

local function failures()
    local failing = {}
    for _, backend in ipairs(backends) do
        if least[backend] then
            elastic_failures(backend, failing)
        else
            local servers = core.backends[backend].servers
            for _, name in ipairs(names_of(servers)) do
                failing[#failing + 1] = verdict(name, asked[backend], servers[name]) or nil
            end
        end
    end
    return failing
end

-- Many waiters that ask as often as they can leave what they wait for no time to start. So who has waited long asks rarely: a tenth of
-- the time goes by between two checks, at most a second.
local OFTEN_FOR_MS, RAREST_MS = 2000, 1000
-- In which a check of each server begins, though the next one is not due at once.
local WINDOW_MS = 60
local began = core.now()

local function waited_ms()
    local now = core.now()
    return (now.sec - began.sec) * 1000 + (now.usec - began.usec) / 1000
end

local function each_server(method)
    for _, backend in ipairs(backends) do
        for _, server in pairs(core.backends[backend].servers) do server[method](server) end
    end
end

-- A check that is under way meanwhile ends, and its answer is seen when checks are made again.
local function rest()
    local waited = waited_ms()
    if waited < OFTEN_FOR_MS then return core.msleep(POLL_MS) end
    core.msleep(WINDOW_MS)
    each_server('check_disable')
    core.msleep(math.floor(math.min(waited / 10, RAREST_MS)))
    each_server('check_enable')
end

core.register_task(function()
    local last
    while true do
        local failing = failures()
        local now = '{"changeless":"healthy"}'
        if #failing > 0 then now = '{"changeless":"checking","failing":[' .. table.concat(failing, ',') .. ']}' end
        if now ~= last then report.line(now) end
        last = now
        rest()
    end
end)
