package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

// following returns a client of a server that answers one connection after the
// other, and the Last-Event-IDs that it was shown.
func following(t *testing.T, connections ...func(w http.ResponseWriter)) (c *Client, shown *[]string) {
	t.Helper()
	shown = &[]string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*shown = append(*shown, r.Header.Get("Last-Event-ID"))
		if len(connections) == 0 || r.Header.Get("Accept") != "text/event-stream" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		connections[0](w)
		connections = connections[1:]
	}))
	t.Cleanup(server.Close)
	c, err := New(Config{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return c, shown
}

func said(text string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { fmt.Fprint(w, text) }
}

// A stream goes on behind what was seen, over lost connections and ends that
// pass, until an end that does not.
func TestStreamGoesOnBehindWhatWasSeen(t *testing.T) {
	c, shown := following(t,
		said("retry: 1\n\nid: s-1\nevent: snapshot\ndata: {\"n\":1}\n\n: beat\n\nid: s-2\nevent: trade\ndata: {\"n\":2}\n\nid: s-3\nevent: trade\ndata: {\"n\":"), // torn: not an event
		func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) },
		said("id: s-3\nevent: trade\ndata: {\ndata: \"n\":3}\n\nevent: end\ndata: {\"status\":503,\"code\":\"stopping\"}\n\n"),
		said("id: s-4\nevent: trade\ndata: {\"n\":4}\n\nevent: end\ndata: {\"status\":401,\"code\":\"key_invalid\",\"detail\":\"revoked\"}\n\n"),
	)
	var got []string
	var last error
	for event, err := range stream(t.Context(), c, "/v1/something/stream", nil) {
		if last = err; err == nil {
			got = append(got, event.ID+" "+event.Name+" "+string(event.Data))
		}
	}
	want := []string{`s-1 snapshot {"n":1}`, `s-2 trade {"n":2}`, "s-3 trade {\n\"n\":3}", `s-4 trade {"n":4}`}
	if !slices.Equal(got, want) {
		t.Errorf("the stream says %q", got)
	}
	if Code(last) != "key_invalid" {
		t.Errorf("it ended with %v", last)
	}
	if want := []string{"", "s-2", "s-2", "s-3"}; !slices.Equal(*shown, want) {
		t.Errorf("it was begun behind %q", *shown)
	}
}

// It ends when nobody wants more, or the context ends.
func TestStreamEnds(t *testing.T) {
	one := said("id: 1\nevent: snapshot\ndata: {}\n\n")
	c, shown := following(t, one)
	for event, err := range stream(t.Context(), c, "/", []Option{Since("0")}) {
		if err != nil || event.ID != "1" {
			t.Errorf("%+v, %v", event, err)
		}
		break
	}
	if !slices.Equal(*shown, []string{"0"}) {
		t.Errorf("it was begun behind %q", *shown)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c, _ = following(t, one)
	events := 0
	for _, err := range stream(ctx, c, "/", nil) {
		if cancel(); err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("it ended with %v", err)
			}
			break
		}
		events++
	}
	if events != 1 {
		t.Errorf("%d events", events)
	}
	if _, err := c.GetHealth(t.Context(), Since("1")); err == nil {
		t.Error("Since was taken where there is no stream")
	}
}
