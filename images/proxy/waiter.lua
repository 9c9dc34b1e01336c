-- Says what the health checks of waiting.cfg see, whenever that changes.
-- CHANGELESS_CHECK_1, _2 and so on name each backend that is checked: <backend>=<what is asked of its
-- servers>. (HAProxy 2.6 passes a file of lua-load no arguments.)
package.path = debug.getinfo(1, 'S').source:match('^@(.*/)') .. '?.lua;' .. package.path
local report = require('report')

local POLL_MS = 10
local PASSED = { L4OK = true, L6OK = true, L7OK = true }

local asked, backends, known = {}, {}, {}
while os.getenv('CHANGELESS_CHECK_' .. #backends + 1) do
    local backend, question = os.getenv('CHANGELESS_CHECK_' .. #backends + 1):match('^([^=]+)=(.*)$')
    asked[backend] = question
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

local function failures()
    local failing = {}
    for _, backend in ipairs(backends) do
        local names = {}
        for name in pairs(core.backends[backend].servers) do names[#names + 1] = name end
        table.sort(names)
        for _, name in ipairs(names) do
            failing[#failing + 1] = verdict(name, asked[backend], core.backends[backend].servers[name]) or nil
        end
    end
    return failing
end

core.register_task(function()
    local last
    while true do
        local failing = failures()
        local now = '{"changeless":"healthy"}'
        if #failing > 0 then now = '{"changeless":"checking","failing":[' .. table.concat(failing, ',') .. ']}' end
        if now ~= last then report.line(now) end
        last = now
        core.msleep(POLL_MS)
    end
end)
