-- Says when the proxy's event loop runs (and that it holds, until its gate is open) and what goes through it, and later, when it was
-- told to stop, what still holds it.
package.path = debug.getinfo(1, 'S').source:match('^@(.*/)') .. '?.lua;' .. package.path
local report = require('report')
local measures = require('measures')
local gate = require('gate')
local coming = require('coming')
local metrics = require('metrics')

-- Nobody waits for these lines to come soon, and each look costs a wake-up in every idle proxy.
local POLL_MS = 500
-- Who reads them begins at the log's end, where the access log's lines are: where those are many, they are said again in between.
local BUSY_POLL_MS, BUSY_REQUESTS = 100, 200
local MEASURE_MS = 1000
local GATE_POLL_MS = 20
local COMING_POLL_MS = 100

-- Prints what holds a proxy that stops, when it changed, and returns it.
local function say_draining(info, last)
    local open = math.floor(tonumber(info.CurrConns))
    if open > 0 and open ~= last then report.line('{"changeless":"draining","connections":' .. open .. '}') end
    return open
end

-- Prints what went through since it was last asked; returns what it printed where that is to be said again.
local function say_serving()
    local said, requests = measures.since_last()
    if not said then return nil end
    local line = '{"changeless":"serving","measures":' .. said .. '}'
    report.line(line)
    return requests >= BUSY_REQUESTS and line or nil
end

if coming.is_needed then
    core.register_task(function()
        while true do
            coming.look()
            core.msleep(COMING_POLL_MS)
        end
    end)
end

core.register_task(function()
    if not gate.is_open() then report.line('{"changeless":"holding"}') end
    while not gate.is_open() and not gate.is_stopping() do core.msleep(GATE_POLL_MS) end
    if gate.is_open() then report.line('{"changeless":"serving"}') end
    local last, again, waited_ms = nil, nil, 0
    while true do
        local pause_ms = again and BUSY_POLL_MS or POLL_MS
        core.msleep(pause_ms)
        waited_ms = waited_ms + pause_ms
        local info = core.get_info()
        if tonumber(info.Stopping) == 1 then
            last, again = say_draining(info, last), nil
        elseif waited_ms >= MEASURE_MS then
            again, waited_ms = say_serving(), 0
        elseif again then
            report.line(again)
        end
    end
end)
