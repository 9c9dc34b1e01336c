-- Requests that pass through stages come back to this proxy on ways of their own (frontends `after-…`). A proxy that is told to stop
-- closes all but these, for what is under way in its stages has yet to come back; when its front has nothing left, these too. Its
-- successor's requests may have come back to it meanwhile, for they share the listeners: it ends when those are over as well. The
-- limit is the configuration's: `grace`. Until then a successor is not to find what it listens on: not all of it is there any more.
local POLL_MS = 50
local SOCKET = os.getenv('CHANGELESS_SOCKET')

-- Closes the frontends that it is so for, and resolves when they have nothing left.
local function finish(is_it)
    local left = {}
    for name, frontend in pairs(core.frontends) do
        if is_it(name) then
            frontend:stop()
            left[#left + 1] = frontend
        end
    end
    for _, frontend in ipairs(left) do
        while frontend:get_stats().scur > 0 do core.msleep(POLL_MS) end
    end
end

local function is_way_back(name)
    return name:find('^after%-') ~= nil
end

core.register_task(function()
    while tonumber(core.get_info().Stopping) ~= 1 do core.msleep(POLL_MS) end
    os.remove(SOCKET)
    finish(function(name) return not is_way_back(name) end)
    finish(is_way_back)
    os.exit(0)
end)

-- As the kernel writes addresses there: the first byte is the lowest.
local function number_of(address)
    local a, b, c, d = (address or ''):match('^(%d+)%.(%d+)%.(%d+)%.(%d+)')
    return a and (tonumber(a) | tonumber(b) << 8 | tonumber(c) << 16 | tonumber(d) << 24)
end

local GATEWAY = 2
local networks = { { net = 127, mask = 255 } }
for line in io.lines('/proc/net/route') do
    local net, flags, mask = line:match('^%S+%s+(%x+)%s+%x+%s+(%x+)%s+%S+%s+%S+%s+%S+%s+(%x+)')
    if net and tonumber(flags, 16) & GATEWAY == 0 then networks[#networks + 1] = { net = tonumber(net, 16), mask = tonumber(mask, 16) } end
end

-- A place's networks are settled when it is made, so they are known from the start.
local function network_of(address)
    local number = number_of(address)
    for _, network in ipairs(networks) do
        if number and number & network.mask == network.net then return network end
    end
end

-- Whether a request comes from the network that the backend's servers are in: the data paths of other apps are in another one.
core.register_fetches('from_network_of', function(txn, backend)
    local from = network_of(txn.f:src())
    if not from then return false end
    for _, server in pairs(core.backends[backend].servers) do
        if network_of(server:get_addr()) == from then return true end
    end
    return false
end)
