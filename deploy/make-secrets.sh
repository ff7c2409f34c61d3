#!/bin/sh
# Makes the secrets that docker-compose.yml mounts, once: what is there stays as it is.
#   deploy/make-secrets.sh [folder]      default: secrets/ beside docker-compose.yml
set -eu
folder=${1:-$(dirname "$0")/../secrets}
mkdir -p "$folder"
# Only its owner enters the folder; in a container the files are read by another account.
chmod 700 "$folder"

random() { # 48 characters of letters, digits, - and _
    head -c 36 /dev/urandom | base64 | tr -d '\n' | tr '+/' '-_'
}

keep() { # name, content
    [ -s "$folder/$1" ] || printf '%s\n' "$2" > "$folder/$1"
    chmod 644 "$folder/$1"
}

keep secret_key "$(random)$(random)"
keep encryption_keys "k1:$(random)"
keep blind_index_key "$(random)"
keep metrics_token "$(random)"
keep grafana_password "$(random)"
keep postgres_password "$(random)"
keep rabbitmq_password "$(random)"
keep database_url "postgres://notifications:$(cat "$folder/postgres_password")@postgres:5432/notifications"
keep rabbitmq_url "amqp://notifications:$(cat "$folder/rabbitmq_password")@rabbitmq:5672/"
keep rabbitmq.conf "default_user = notifications
default_pass = $(cat "$folder/rabbitmq_password")"
echo "The secrets are in $folder. Keep a copy of it in a safe place."
