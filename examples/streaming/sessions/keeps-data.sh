# The store keeps what it acknowledged when its server is killed.
set -eu
folder=$(mktemp -d)

start() {
  redis-server /etc/redis/store.conf --port 6390 --dir "$folder" > "$folder/log" &
  server=$!
  until redis-cli -p 6390 PING 2> /dev/null | grep -q PONG; do
    kill -0 "$server" || { cat "$folder/log"; exit 1; }
    sleep 0.05
  done
}

start
test "$(redis-cli -p 6390 INCR visits)" = 1
kill -9 "$server"
wait "$server" || true
start
test "$(redis-cli -p 6390 INCR visits)" = 2
kill "$server"
wait "$server" || true
