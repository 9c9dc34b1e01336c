-- Answers whoever asks with one word, HAProxy's agent protocol: `drain` takes the server beside it out of turn, `ready` back in.
-- Ends by itself after CHANGELESS_LEAVING_MS.
local word = os.getenv('CHANGELESS_LEAVING')
local limit_ms = tonumber(os.getenv('CHANGELESS_LEAVING_MS'))

core.register_service('leaving', 'tcp', function(applet) applet:send(word .. '\n') end)

core.register_task(function()
    core.msleep(limit_ms)
    os.exit(0)
end)
