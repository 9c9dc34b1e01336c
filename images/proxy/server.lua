-- Says when the proxy's event loop runs (and that it holds, until its gate is open) and what goes through it, and later, when it was
-- told to stop, what still holds it.
package.path = debug.getinfo(1, 'S').source:match('^@(.*/)') .. '?.lua;' .. package.path
local report = require('report')
local measures = require('measures')
local gate = require('gate')
local coming = require('coming')

-- Nobody waits for these lines to come soon, and each look costs a wake-up in every idle proxy.
local POLL_MS = 500
local GATE_POLL_MS = 20
local COMING_POLL_MS = 100

-- Prints what holds a proxy that stops, when it changed, and returns it.
local function say_draining(info, last)
    local open = math.floor(tonumber(info.CurrConns))
    if open > 0 and open ~= last then report.line('{"changeless":"draining","connections":' .. open .. '}') end
    return open
end

local function say_serving()
    local said = measures.since_last()
    if said then report.line('{"changeless":"serving","measures":' .. said .. '}') end
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
    local last, looks = nil, 0
    while true do
        core.msleep(POLL_MS)
        looks = looks + 1
        local info = core.get_info()
        if tonumber(info.Stopping) == 1 then
            last = say_draining(info, last)
        elseif looks % 2 == 0 then
            say_serving()
        end
    end
end)
