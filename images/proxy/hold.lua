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
local opened_us

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
        if is_open then opened_us = opened_us or now end
        answer = { open = is_open, ready = is_open and is_ready(), stopping = gate.is_stopping() }
        answered_at = now
    end
    return answer
end

-- Since it came, or since the gate is open, where that is later.
local function waited_ms(txn, found)
    local came_us = txn:get_var('txn.came_us')
    if not came_us then
        came_us = now_us()
        txn:set_var('txn.came_us', came_us)
    end
    return found.open and (now_us() - math.max(came_us, opened_us)) / 1000 or 0
end

-- Called anew for each look. It must not sleep by core.msleep: where the process gets no time for as long as the sleep lasts, the
-- alarm's moment is over before HAProxy 2.6 arms it, and it arms none: the connection is never woken.
core.register_action('hold', { 'tcp-req' }, function(txn, limit_ms)
    local found = look()
    if not found.ready then
        if found.stopping then
            txn:set_var('txn.successor', true)
        elseif waited_ms(txn, found) > tonumber(limit_ms) then
            return act.DENY
        else
            act.wake_time(POLL_MS)
            return act.YIELD
        end
    end
    -- Without a word, what was returned the last time would count again.
    return act.CONTINUE
end, 1)
