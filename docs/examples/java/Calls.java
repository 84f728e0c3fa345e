import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.*;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Prints every call from the topic token-events: Calls BROKERS GROUP. */
public class Calls {
    public static void main(String[] arguments) {
        Properties settings = new Properties();
        settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, arguments[0]);
        settings.put(ConsumerConfig.GROUP_ID_CONFIG, arguments[1]);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        ObjectMapper json = new ObjectMapper();
        Map<String, Long> seen = new HashMap<>(); // the last seq of each department
        StringDeserializer text = new StringDeserializer();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings, text, text)) {
            consumer.subscribe(List.of("token-events"));
            while (true) {
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(1))) {
                    JsonNode event;
                    try {
                        event = json.readTree(record.value());
                    } catch (JsonProcessingException | IllegalArgumentException wrong) {
                        System.err.println("no event at " + record.partition() + " " + record.offset());
                        continue;
                    }
                    String department = event.path("departmentId").asText();
                    long seq = event.path("seq").asLong();
                    if (seq <= seen.getOrDefault(department, 0L)) continue;
                    seen.put(department, seq);
                    String kind = event.path("eventType").asText();
                    if (kind.equals("TOKEN_CALLED") || kind.equals("TOKEN_RECALLED"))
                        System.out.println(event.get("displayNumber").asText() + ": counter " + event.get("counterId").asText());
                }
                consumer.commitSync(); // after the work, so that a crash repeats it rather than skip it
            }
        }
    }
}
