package main

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/attentionbank/attentionbank/api"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// traffic counts requests by route, which has no ids, and streams.
type traffic struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	streams  api.StreamStats
}

func newTraffic() *traffic {
	return &traffic{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "attentionbank_http_requests_total", Help: "Requests by route and status."}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "attentionbank_http_request_seconds", Help: "Time to answer a request, by route.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10},
		}, []string{"route"}),
	}
}

// count counts a request. How long a stream was followed is no time to answer.
func (t *traffic) count(route string, status int, took time.Duration, isStream bool) {
	if route == "" {
		route = "none"
	}
	t.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	if !isStream {
		t.seconds.WithLabelValues(route).Observe(took.Seconds())
	}
}

func (t *traffic) collectors() []prometheus.Collector {
	list := []prometheus.Collector{t.requests, t.seconds, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "attentionbank_streams_open", Help: "Streams of server-sent events that are open.",
	}, func() float64 { return float64(t.streams.Open.Load()) })}
	for _, counter := range []struct {
		name, help string
		value      *atomic.Int64
	}{
		{"streams_opened_total", "Streams that began.", &t.streams.Opened},
		{"streams_resumed_total", "Streams that went on behind an event that was seen before.", &t.streams.Resumed},
		{"streams_refused_total", "Streams that were refused because too many were open.", &t.streams.Refused},
		{"streams_too_slow_total", "Streams that ended because events were not read in time.", &t.streams.TooSlow},
		{"streams_events_total", "Events that were written to streams.", &t.streams.Written},
	} {
		list = append(list, prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "attentionbank_" + counter.name, Help: counter.help},
			func() float64 { return float64(counter.value.Load()) }))
	}
	return list
}

// metrics answers with the counters of all parts in Prometheus' form, and with
// others that it is given.
func (n *node) metrics(others ...prometheus.Collector) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	registry.MustRegister(others...)
	count := func(name, help string, value func() float64) {
		registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "attentionbank_" + name, Help: help}, value))
	}
	gauge := func(name, help string, value func() float64) {
		registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "attentionbank_" + name, Help: help}, value))
	}
	gauge("ready", "1 while every part of the bank runs.", func() float64 {
		if n.ready() != nil {
			return 0
		}
		return 1
	})
	journal, events := n.journal.Statistics(), n.collector.Statistics()
	count("journal_records_total", "Records that were made durable.", func() float64 { return float64(journal.Records.Load()) })
	count("journal_commands_total", "Commands that were carried out or refused.", func() float64 { return float64(journal.Commands.Load()) })
	count("journal_append_seconds_total", "Time spent making records durable.", func() float64 { return float64(journal.AppendNS.Load()) / 1e9 })
	gauge("journal_waiting", "Requests that wait for the writer.", func() float64 { return float64(n.journal.Waiting()) })
	for _, verdict := range []struct {
		name  string
		value func() int64
	}{
		{"accepted", events.Accepted.Load}, {"capped", events.Capped.Load}, {"duplicate", events.Duplicate.Load},
		{"late", events.Late.Load}, {"quarantined", events.Quarantined.Load}, {"rejected", events.Rejected.Load},
	} {
		registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "attentionbank_events_total", Help: "Events by verdict.", ConstLabels: prometheus.Labels{"verdict": verdict.name},
		}, func() float64 { return float64(verdict.value()) }))
	}
	count("events_batches_total", "Batches of events that were made durable.", func() float64 { return float64(events.Batches.Load()) })
	count("events_append_seconds_total", "Time spent making events durable.", func() float64 { return float64(events.AppendNS.Load()) / 1e9 })
	gauge("message_ids_in_memory", "Message ids that are remembered in memory, of the hours that are not over.", func() float64 { return float64(events.Seen.InMemory.Load()) })
	gauge("message_ids_in_blocks", "Message ids that are remembered on disk.", func() float64 { return float64(events.Seen.InBlocks.Load()) })
	gauge("message_ids_directory_bytes", "Memory by which message ids on disk are found.", func() float64 { return float64(events.Seen.DirectoryBytes.Load()) })
	count("message_ids_faults_total", "Blocks of message ids that could not be kept, read or dropped, and are tried again.", func() float64 { return float64(events.Seen.Faults.Load()) })
	count("purge_entries_total", "Events and sessions that were dropped because their world keeps them no longer.", func() float64 { return float64(events.Purge.Entries.Load()) })
	count("purge_bytes_total", "Bytes by which that made the log of events smaller.", func() float64 { return float64(events.Purge.Bytes.Load()) })
	count("purge_steps_total", "Steps in which it was done.", func() float64 { return float64(events.Purge.Steps.Load()) })
	count("purge_seconds_total", "Time that the steps took, without the pauses between them.", func() float64 { return float64(events.Purge.NS.Load()) / 1e9 })
	gauge("purge_batches_left", "Batches that the purge that runs has still to look at; 0 if none runs.", func() float64 { return float64(events.Purge.Left.Load()) })
	gauge("events_waiting", "Requests that wait for the collector.", func() float64 { return float64(n.collector.Waiting()) })
	if n.outbox != nil {
		told := n.outbox.Statistics()
		count("messages_kept_total", "Messages to worlds that were kept.", func() float64 { return float64(told.Kept.Load()) })
		count("messages_delivered_total", "Messages that worlds took.", func() float64 { return float64(told.Delivered.Load()) })
		count("messages_failed_total", "Attempts that failed and are made again.", func() float64 { return float64(told.Failed.Load()) })
		count("messages_dead_total", "Messages whose last attempt failed.", func() float64 { return float64(told.Dead.Load()) })
	}
	gauge("history_lag_records", "Records that the history has not read yet.", func() float64 { return float64(n.follower.Lag().Records) })
	gauge("history_lag_seconds", "Since when the history has not had everything.", func() float64 { return float64(n.follower.Lag().MS) / 1000 })
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}
