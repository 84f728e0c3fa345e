// Prints every call from the topic token-events: calls BROKERS GROUP.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

type event struct {
	Type       string `json:"eventType"`
	Department string `json:"departmentId"`
	Seq        int64  `json:"seq"`
	Number     string `json:"displayNumber"`
	Counter    string `json:"counterId"`
}

func main() {
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(os.Args[1], ",")...),
		kgo.ConsumerGroup(os.Args[2]), kgo.ConsumeTopics("token-events"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(),
	)
	if err != nil {
		log.Fatal(err)
	}
	seen := map[string]int64{} // the last seq of each department
	for {
		fetches := client.PollFetches(context.Background())
		fetches.EachError(func(_ string, _ int32, err error) { log.Print(err) })
		fetches.EachRecord(func(record *kgo.Record) {
			var e event
			if err := json.Unmarshal(record.Value, &e); err != nil {
				log.Printf("no event at %d %d", record.Partition, record.Offset)
			} else if e.Seq > seen[e.Department] {
				seen[e.Department] = e.Seq
				if e.Type == "TOKEN_CALLED" || e.Type == "TOKEN_RECALLED" {
					fmt.Printf("%s: counter %s\n", e.Number, e.Counter)
				}
			}
		})
		// After the work, so that a crash repeats it rather than skip it.
		if err := client.CommitUncommittedOffsets(context.Background()); err != nil {
			log.Print(err)
		}
	}
}
