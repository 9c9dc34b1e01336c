-- The action `hold`: a new connection to a store waits here, unread, until the store's server passes
-- its check, for at most so many milliseconds; the wait for the gate is not counted. A path that is
-- told to stop passes those who wait on to its successor, which listens in the same place.
package.path = debug.getinfo(1, 'S').source:match('^@(.*/)') .. '?.lua;' .. package.path
local gate = require('gate')

local POLL_MS = 25
-- Thousands may wait: they look at one answer.
local FRESH_US = 10000
local PASSED = { L4OK = true, L6OK = true, L7OK = true }

local answer, answered_at
local was_checked = false

local function now_us()
    local now = core.now()
    return now.sec * 1000000 + now.usec
end

-- A server is UP before its first check, so that alone says nothing.
local function is_ready()
    local _, server = next(core.backends.store.servers)
    local stats = server:get_stats()
    was_checked = was_checked or PASSED[stats.check_status] == true
    return was_checked and stats.status:find('^UP') ~= nil
end

local function look()
    local now = now_us()
    if not answer or now - answered_at >= FRESH_US then
        local is_open = gate.is_open()
        answer = { open = is_open, ready = is_open and is_ready(), stopping = gate.is_stopping() }
        answered_at = now
    end
    return answer
end

core.register_action('hold', { 'tcp-req' }, function(txn, limit_ms)
    local waited_ms = 0
    local found = look()
    while not found.ready do
        if found.stopping then return txn:set_var('txn.successor', true) end
        if waited_ms > tonumber(limit_ms) then return act.DENY end
        core.msleep(POLL_MS)
        if found.open then waited_ms = waited_ms + POLL_MS end
        found = look()
    end
end, 1)
