-- A path that was told to hold listens and lets no connection on before its gate is open: before the
-- file that CHANGELESS_GATE names is there. Every other path's gate is open from the start.
local gate = {}

local file = os.getenv('CHANGELESS_GATE')
local open = file == nil

function gate.is_open()
    if open then return true end
    local found = io.open(file)
    if found then
        found:close()
        os.remove(file)
        open = true
    end
    return open
end

function gate.is_stopping()
    return tonumber(core.get_info().Stopping) == 1
end

return gate
