#!/bin/sh
# Runs the class that a tool of Apache Kafka is.
case ${0##*/} in
    kafka-storage.sh) class=kafka.tools.StorageTool ;;
    kafka-server-start.sh) class=kafka.Kafka ;;
    kafka-topics.sh) class=org.apache.kafka.tools.TopicCommand ;;
    kafka-acls.sh) class=org.apache.kafka.tools.AclCommand ;;
esac
exec java ${KAFKA_HEAP_OPTS:--Xmx256m} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp '/opt/kafka/libs/*' $class "$@"
