#!/bin/sh
# Creates tokenq's topics, and permits each of its programs what it needs and nothing else. Run it again at any time.
#
#   acls.sh HOST:PORT CLIENT.properties
#
# CLIENT.properties is the login of a Kafka administrator. kafka-topics.sh and kafka-acls.sh of Apache Kafka must be on
# the PATH. The users must exist, and the brokers must have an authorizer. Other names than these are taken from the
# environment. The name of a certificate is its whole subject. Give each kiosk a user of its own, to be able to lock out
# one of them: BOARD_USERS='lobby-1;CN=lobby-2,O=City Hall'.
set -eu

if [ $# -ne 2 ]; then
    echo "Usage: $0 HOST:PORT CLIENT.properties" >&2
    exit 2
fi
brokers=$1
login=$2

api=${API_USER:-tokenq-api}
relay=${RELAY_USER:-tokenq-relay}
notify=${NOTIFY_USER:-tokenq-notify}
boards=${BOARD_USERS:-tokenq-board}
operator=${OPERATOR_USER:-tokenq-operator}

create() {
    kafka-topics.sh --bootstrap-server "$brokers" --command-config "$login" --create --if-not-exists "$@"
}

permit() {
    user=$1
    shift
    kafka-acls.sh --bootstrap-server "$brokers" --command-config "$login" --add --force \
        --allow-principal "User:$user" "$@"
}

# The brokers' default.replication.factor and min.insync.replicas apply: 3 and 2 on a cluster.
# Never change the number of partitions later.
# Brokers that store what is compressed unpack nothing: 1 MB could become 1 GB in every reader's memory.
create --topic token-events --partitions "${PARTITIONS:-3}" --config compression.type=uncompressed
create --topic token-events.dlq --partitions 1

# The API finds out whether the topic knows more than a restored database.
permit "$api" --operation Read --topic token-events
# The relay alone writes events: a board cannot tell a forged one from a true one.
permit "$relay" --operation Read --operation Write --topic token-events
permit "$relay" --operation Describe --topic token-events.dlq
# Notify reads events in its group, and writes dead letters.
permit "$notify" --operation Read --topic token-events
permit "$notify" --operation Read --group tokenq-notify
permit "$notify" --operation Write --topic token-events.dlq
# A board reads one topic, in no group.
separator=$IFS
IFS=';'
for board in $boards; do
    IFS=$separator
    permit "$board" --operation Read --topic token-events
done
IFS=$separator
# 'tokenq verify', 'doctor' and 'server rewind' only read.
permit "$operator" --operation Read --operation DescribeConfigs --topic token-events
permit "$operator" --operation Describe --topic token-events.dlq
permit "$operator" --operation Describe --group tokenq-notify
