-- Says when the proxy's event loop runs (and that it holds, until its gate is open), and later, when it was told to stop, what still holds it.
package.path = debug.getinfo(1, 'S').source:match('^@(.*/)') .. '?.lua;' .. package.path
local report = require('report')
local gate = require('gate')

-- Nobody waits for these lines to come soon, and each look costs a wake-up in every idle proxy.
local POLL_MS = 500
local GATE_POLL_MS = 20

core.register_task(function()
    if not gate.is_open() then report.line('{"changeless":"holding"}') end
    while not gate.is_open() and not gate.is_stopping() do core.msleep(GATE_POLL_MS) end
    if gate.is_open() then report.line('{"changeless":"serving"}') end
    local last
    while true do
        core.msleep(POLL_MS)
        local info = core.get_info()
        local open = tonumber(info.CurrConns)
        if tonumber(info.Stopping) == 1 and open > 0 and open ~= last then
            report.line('{"changeless":"draining","connections":' .. math.floor(open) .. '}')
            last = open
        end
    end
end)
