-- Lines for the controller: one JSON object each, on stderr, never buffered. Standard output is the access log's, where these would drown.
local report = {}

-- Everything outside printable ASCII is escaped: what a checked server answered may be any bytes.
function report.text(value)
    local escaped = tostring(value):gsub('[%c"\\\127-\255]', function(character)
        return string.format('\\u%04x', character:byte())
    end)
    return '"' .. escaped .. '"'
end

-- The same of text that is UTF-8 already.
function report.utf8(value)
    local escaped = value:gsub('[%c"\\]', function(character)
        return string.format('\\u%04x', character:byte())
    end)
    return '"' .. escaped .. '"'
end

function report.line(json)
    -- In one piece: a waiter is killed at any moment, and what it had begun to say must not run into the proxy's words.
    io.stderr:write(json .. '\n')
end

return report
