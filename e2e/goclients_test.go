package e2e

import (
	"context"
	"fmt"
	"io"
	"log"
	"sync"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	cecontext "github.com/cloudevents/sdk-go/v2/context"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/segmentio/analytics-go/v3"
)

// at is the time of an event: what the program says, which in Go has no other
// clock than the machine's.
func (c clientCase) at(i int) time.Time {
	if c.Times[i] != nil {
		return time.UnixMilli(*c.Times[i])
	}
	return time.Now().Add(time.Duration(c.SkewMS) * time.Millisecond)
}

func sendSegmentGo(t *testing.T, key string, c clientCase) said {
	reported := &outcomes{}
	var devices []analytics.Client
	for device := range c.Devices {
		client, err := analytics.NewWithConfig(key, analytics.Config{
			Endpoint: c.Host, BatchSize: 3, Interval: 50 * time.Millisecond, Callback: reported, Logger: analytics.StdLogger(log.New(io.Discard, "", 0)),
			RetryAfter: func(int) time.Duration { return 50 * time.Millisecond },
		})
		if err != nil {
			t.Error(err)
			return said{}
		}
		devices = append(devices, client)
		for i := range c.Times {
			if err := client.Enqueue(analytics.Track{UserId: c.User, Event: "Jumped", MessageId: fmt.Sprintf("%s-%d-%d", c.User, device, i), Timestamp: c.at(i)}); err != nil {
				t.Error(err)
			}
		}
	}
	for deadline := time.Now().Add(2 * time.Minute); reported.count() < len(c.Times)*c.Devices && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	for _, client := range devices {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
	reported.mu.Lock()
	defer reported.mu.Unlock()
	return said{Name: c.Name, Acknowledged: len(reported.succeeded)}
}

func sendCloudEventsGo(t *testing.T, key string, c clientCase) said {
	answer := said{Name: c.Name}
	var mu sync.Mutex
	var devices sync.WaitGroup
	for device := range c.Devices {
		devices.Go(func() {
			client, err := cloudevents.NewClientHTTP(cloudevents.WithTarget(c.Host+"/v1/cloudevents"), cehttp.WithHeader("Authorization", "Bearer "+key))
			if err != nil {
				t.Error(err)
				return
			}
			ctx := cecontext.WithRetriesExponentialBackoff(context.Background(), 50*time.Millisecond, 5)
			for i := range c.Times {
				e := cloudevents.NewEvent()
				e.SetID(fmt.Sprintf("%d-%d", device, i))
				e.SetSource("/" + c.User)
				e.SetType("Jumped")
				e.SetSubject(c.User)
				e.SetTime(c.at(i))
				if err := e.SetData(cloudevents.ApplicationJSON, map[string]int{"height": i}); err != nil {
					t.Error(err)
				}
				again := 0
				for deadline := time.Now().Add(time.Minute); !cloudevents.IsACK(client.Send(ctx, e)); again++ {
					if time.Now().After(deadline) {
						return
					}
				}
				mu.Lock()
				answer.Acknowledged++
				answer.Again += again
				mu.Unlock()
			}
		})
	}
	devices.Wait()
	return answer
}
