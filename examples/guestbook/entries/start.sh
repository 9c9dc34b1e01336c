# Makes the data when there are none, all at once or not at all, and then is the server.
set -eu
data=${DATA:-/data}

if [ ! -d "$data/cluster" ]; then
  rm -rf "$data/new"
  initdb --pgdata "$data/new" --username postgres --auth trust --locale C.UTF-8 --no-instructions
  postgres --single -j -D "$data/new" postgres < /etc/entries/schema.sql > /dev/null
  mv "$data/new" "$data/cluster"
fi
exec postgres -D "$data/cluster" -c config_file=/etc/entries/postgresql.conf -c hba_file=/etc/entries/hba.conf "$@"
