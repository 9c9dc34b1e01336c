# The store keeps what it acknowledged when its server is killed, and a cluster is made whole or not at all.
set -eu
export DATA=$(mktemp -d)
mkdir "$DATA/new"
echo 'half a cluster' > "$DATA/new/PG_VERSION"

start() {
  sh /usr/local/bin/start.sh -c port=5439 > "$DATA/log" 2>&1 &
  server=$!
  until psql -h 127.0.0.1 -p 5439 -U postgres -qc 'SELECT 1' > /dev/null 2>&1; do
    kill -0 "$server" || { cat "$DATA/log"; exit 1; }
    sleep 0.05
  done
}

ask() {
  psql -h 127.0.0.1 -p 5439 -U postgres -qtAc "$1"
}

start
ask "INSERT INTO entries (id, text) VALUES ('00000000-0000-0000-0000-000000000001', 'kept')"
kill -9 "$server"
wait "$server" || true
start
test "$(ask 'SELECT text FROM entries')" = kept
kill -INT "$server"
wait "$server" || true
