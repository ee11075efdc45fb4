package main

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// requests numbers the requests of this process, and process tells it from
// others of which there are logs.
var (
	requests atomic.Uint64
	process  = rand.Text()[:8]
)

// logged writes a line for each request that failed on the bank's side, and
// for every request at debug level. A line names the route and never the path,
// which can hold ids of people. Every request is counted.
func logged(logger *slog.Logger, counts *traffic, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		id := process + "-" + strconv.FormatUint(requests.Add(1), 10)
		w.Header().Set("X-Request-Id", id)
		seen := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		took := time.Since(began)
		counts.count(r.Pattern, seen.status, took, w.Header().Get("Content-Type") == "text/event-stream")
		level := slog.LevelDebug
		if seen.status >= 500 {
			level = slog.LevelError
		}
		logger.LogAttrs(r.Context(), level, "request", slog.String("id", id), slog.String("route", r.Pattern),
			slog.Int("status", seen.status), slog.Duration("took", took))
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController find the writer below.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
