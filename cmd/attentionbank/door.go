package main

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// door stands before the API. Until the bank has recovered it answers by
// itself: the process is there, and the bank is not ready. From the begin of a
// drain on it lets the API say that it is not ready, and serve.
type door struct {
	inside   atomic.Pointer[http.Handler]
	draining chan struct{} // closed from the begin of a drain on
	once     sync.Once
}

func newDoor() *door { return &door{draining: make(chan struct{})} }

func (d *door) open(inside http.Handler) { d.inside.Store(&inside) }

func (d *door) drain() { d.once.Do(func() { close(d.draining) }) }

// err says why no new work should come.
func (d *door) err() error {
	select {
	case <-d.draining:
		return errors.New("the bank is stopping")
	default:
		return nil
	}
}

// ServeHTTP implements http.Handler.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if inside := d.inside.Load(); inside != nil {
		(*inside).ServeHTTP(w, r)
		return
	}
	if r.URL.Path == "/healthz" {
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"status":"ok"}`)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
	io.WriteString(w, `{"status":503,"code":"not_ready","title":"Service Unavailable","detail":"The bank is being recovered from its journal."}`)
}
