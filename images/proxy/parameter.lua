-- The action `parameter <name> <variable>`: all values a request's query has for the parameter, both decoded, in <variable>_1,
-- _2 and so on; where there are more than can be looked at, <variable>_more is there.
local MOST_VALUES = 4

local function decoded(text)
    return (text:gsub('+', ' '):gsub('%%(%x%x)', function(code) return string.char(tonumber(code, 16)) end))
end

local function add_values(query, separators, wanted, values)
    for pair in query:gmatch('[^' .. separators .. ']+') do
        local name, value = pair:match('^([^=]*)=?(.*)$')
        if decoded(name) == wanted then values[#values + 1] = decoded(value) end
    end
end

core.register_action('parameter', { 'http-req' }, function(txn, name, variable)
    local query, values = txn.sf:query(), {}
    if not query or query == '' then return end
    add_values(query, '&', name, values)
    -- Some services take a semicolon for a separator, others for a part of the value: either may be what is meant.
    if query:find(';', 1, true) then add_values(query, '&;', name, values) end
    for index = 1, math.min(#values, MOST_VALUES) do txn:set_var(variable .. '_' .. index, values[index]) end
    if #values > MOST_VALUES then txn:set_var(variable .. '_more', true) end
end, 2)
