-- The service `refuse-body`: answers 413 at once, and takes what still comes of the body. Whoever is cut off while sending may never
-- get to read the answer. What is longer than that is cut off all the same.
local MOST_BYTES = 256 * 1024 * 1024

core.register_service('refuse-body', 'http', function(applet)
    local body = '{"error":"the body is longer than it may be"}'
    applet:set_status(413)
    applet:add_header('content-type', 'application/json')
    applet:add_header('cache-control', 'no-store')
    applet:add_header('content-length', #body)
    applet:start_response()
    applet:send(body)
    local taken = 0
    while taken < MOST_BYTES do
        local more = applet:receive(65536)
        if more == nil or #more == 0 then return end
        taken = taken + #more
    end
end)
