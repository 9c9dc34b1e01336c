-- HAProxy takes a server for healthy from the moment its name has an address, until a check says otherwise. A place has its address
-- before its instance listens, so several that come at once would refuse requests until one had found nobody else in all its tries.
-- So where instances come and go, a server without an address is drained, and gets its turn when a check has passed at its address.
local coming = {}

local WAITING, ADDRESSED = 1, 2

local backends = {}
for name in (os.getenv('CHANGELESS_ELASTIC') or ''):gmatch('[^,]+') do backends[#backends + 1] = name end

local function look_at(key, server)
    local status = server:get_stats().status
    if status:find('^MAINT') then
        if coming[key] ~= WAITING then server:set_drain() end
        coming[key] = WAITING
    elseif coming[key] == WAITING then
        -- What a check said at its former address says nothing of this one.
        server:check_force_down()
        coming[key] = ADDRESSED
    elseif coming[key] == ADDRESSED and not status:find('^DOWN') then
        server:set_ready()
        coming[key] = nil
    end
end

return {
    is_needed = #backends > 0,
    look = function()
        for _, name in ipairs(backends) do
            for own_name, server in pairs(core.backends[name].servers) do look_at(name .. '/' .. own_name, server) end
        end
    end,
}
