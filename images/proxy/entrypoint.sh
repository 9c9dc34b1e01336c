#!/bin/sh
# Waits, then serves. As a waiter it runs only the health checks it will use and reports them on
# stderr. SIGUSR2 turns it into the proxy, which takes the listening sockets over from whichever
# proxy is alive in this network namespace. SIGHUP turns it into a proxy that takes them over just so
# and lets connections wait, until SIGUSR2 opens its gate: the same connections then go on. SIGUSR1 and
# SIGTERM end a waiter; on the proxy they are HAProxy's own: finish what is open and exit, exit now.
#
# In the place of an instance, where it cannot write, it says that this instance leaves: the proxies, which ask
# there, send it nothing more. Exit code 0: the drain limit has passed. A signal ends it with 3, after it has
# taken that back, so that who comes into the place later is not taken for one who leaves.
#
#   entrypoint.sh          wait, then serve; or say that an instance leaves
#   entrypoint.sh check    say whether both configurations are valid, and exit
set -u

config=/etc/changeless/path
sockets=/run/changeless

# A name that does not exist yet must not hold the start up for the resolver's usual 10 seconds.
export RES_OPTIONS='timeout:1 attempts:1'

# One name per start, not per generation: a substitute of the same generation would otherwise rename
# its socket over its predecessor's, and undoing it would leave that one unreachable.
read -r incarnation < /proc/sys/kernel/random/uuid
export CHANGELESS_INCARNATION="${incarnation%%-*}"

# HAProxy binds <name>.<pid>.tmp and renames it, so that is what the kernel lists; 00010000 is
# "listening". A proxy that drains has closed its socket, one that was killed has left only a file.
is_listening() {
    grep -q " 00010000 .* $1\.[0-9]*\.tmp\$" /proc/net/unix
}

# Prints the socket of a live proxy, if there is one. Any will do: all of them hold the same listeners.
live_predecessor() {
    for socket in "$sockets"/*.sock; do
        if [ -S "$socket" ] && is_listening "$socket"; then
            echo "$socket"
            return
        fi
    done
}

forget_the_dead() {
    for socket in "$sockets"/*.sock; do
        if [ -S "$socket" ] && ! grep -q " $socket\.[0-9]*\.tmp\$" /proc/net/unix; then
            rm -f "$socket"
        fi
    done
}

# The waiter, which was killed, has to be reaped before haproxy is pid 1.
leave_waiting() {
    wait "$waiter" 2>/dev/null
    forget_the_dead
    predecessor=$(live_predecessor)
}

become_proxy() {
    trap '' USR2 HUP
    leave_waiting
    exec haproxy -db -f "$config/proxy.cfg" ${predecessor:+-x "$predecessor"}
}

# HAProxy asks four times a second, so that each hears it.
READY_FOR_MS=1000

take_back() {
    trap '' USR1 TERM INT
    kill -KILL "$leaving"
    wait "$leaving" 2>/dev/null
    CHANGELESS_LEAVING=ready CHANGELESS_LEAVING_MS=$READY_FOR_MS haproxy -db -f "$config/leaving.cfg"
    exit 3
}

leave() {
    trap take_back USR1 TERM INT
    CHANGELESS_LEAVING=drain haproxy -db -f "$config/leaving.cfg" &
    leaving=$!
    wait "$leaving"
    exit $?
}

# The shell stays, because what is to open the gate later is a signal and HAProxy knows none for it.
hold_then_serve() {
    trap '' HUP
    leave_waiting
    export CHANGELESS_GATE="$sockets/$CHANGELESS_INCARNATION.open"
    haproxy -db -f "$config/proxy.cfg" ${predecessor:+-x "$predecessor"} &
    proxy=$!
    trap ': > "$CHANGELESS_GATE"' USR2
    trap 'kill -USR1 "$proxy"' USR1
    trap 'kill -TERM "$proxy"' TERM INT
    code=1
    while kill -0 "$proxy" 2>/dev/null; do
        wait "$proxy"
        code=$?
    done
    exit "$code"
}

if [ "${1:-}" = check ]; then
    for name in waiting proxy leaving; do
        [ ! -e "$config/$name.cfg" ] || haproxy -c -f "$config/$name.cfg" || exit 1
    done
    exit 0
fi

if [ ! -w "$sockets" ] && [ -e "$config/leaving.cfg" ]; then
    leave
fi

# The kernel ends every process of the container with pid 1, the checks included.
trap 'exit 0' USR1 TERM INT
haproxy -db -f "$config/waiting.cfg" &
waiter=$!
# It holds nothing worth an orderly end, and killing it ends the wait below, also where the signal comes just before that.
next=
trap 'next=become_proxy; kill -KILL "$waiter" 2>/dev/null' USR2
trap 'next=hold_then_serve; kill -KILL "$waiter" 2>/dev/null' HUP
wait "$waiter"
code=$?
$next
exit "$code"
