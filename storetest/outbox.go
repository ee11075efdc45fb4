package storetest

import (
	"reflect"
	"testing"

	"github.com/attentionbank/attentionbank/outbox"
)

// Outbox checks that a store keeps what an outbox.Store promises. For each
// test, create returns a function that opens one and the same storage, empty
// the first time.
func Outbox(t *testing.T, create func(t *testing.T) (open func() outbox.Store)) {
	tests := map[string]func(*testing.T, func() outbox.Store){
		"messages are kept with the cursor, once": outboxKeep,
		"what is due is found, marked and listed": outboxDue,
		"endpoints are replaced":                  outboxEndpoints,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, create(t)) })
	}
}

func told(number uint64, world uint32, kind string, atMS int64) outbox.Message {
	return outbox.Message{Number: number, World: world, Kind: kind, Body: []byte(`{"kind":"` + kind + `"}`), CreatedMS: atMS, NextMS: atMS}
}

func outboxKeep(t *testing.T, open func() outbox.Store) {
	store := open()
	if cursor := must(store.Cursor(t.Context()))(t); cursor != (outbox.Cursor{}) {
		t.Fatalf("a new outbox has read to %+v", cursor)
	}
	first, second := outbox.Cursor{Seq: 3, Hash: [32]byte{3}}, outbox.Cursor{Seq: 9, Hash: [32]byte{9}}
	check(t, store.Keep(t.Context(), 0, first, []outbox.Message{told(1<<16, 1, "a", 5), told(1<<16+1, 2, "b", 4)}))
	wantErr(t, store.Keep(t.Context(), 0, second, []outbox.Message{told(2<<16, 1, "twice", 5)}), outbox.ErrBehind)
	wantErr(t, store.Keep(t.Context(), 4, second, nil), outbox.ErrBehind)
	check(t, store.Keep(t.Context(), 3, second, nil))
	check(t, store.Keep(t.Context(), 9, outbox.Cursor{Seq: 10}, []outbox.Message{told(10<<16, 1, "c", 6)}))

	store = open()
	if cursor, want := must(store.Cursor(t.Context()))(t), (outbox.Cursor{Seq: 10}); cursor != want {
		t.Fatalf("the cursor is %+v, want %+v", cursor, want)
	}
	kinds := ""
	for _, message := range must(store.Messages(t.Context(), 1, 0, 10))(t) {
		kinds += message.Kind
	}
	if kinds != "ca" {
		t.Errorf("world 1 has messages %q, want c and a", kinds)
	}
}

func outboxDue(t *testing.T, open func() outbox.Store) {
	store := open()
	check(t, store.Keep(t.Context(), 0, outbox.Cursor{Seq: 1}, []outbox.Message{told(1, 1, "late", 20), told(2, 2, "early", 10), told(3, 1, "future", 30)}))
	due := must(store.Due(t.Context(), 20, 10))(t)
	if len(due) != 2 || due[0].Kind != "early" || due[1].Kind != "late" {
		t.Fatalf("due are %+v", due)
	}
	if due := must(store.Due(t.Context(), 20, 1))(t); len(due) != 1 || due[0].Kind != "early" {
		t.Fatalf("due are %+v, want the earliest", due)
	}
	sent, failed := due[0], due[1]
	sent.Status, sent.Attempts = outbox.Delivered, 1
	failed.Attempts, failed.NextMS, failed.Fault = 2, 100, "status 500"
	check(t, store.Mark(t.Context(), sent))
	check(t, store.Mark(t.Context(), failed))
	wantErr(t, store.Mark(t.Context(), outbox.Message{Number: 99}), outbox.ErrNotFound)

	store = open()
	if due := must(store.Due(t.Context(), 99, 10))(t); len(due) != 1 || due[0].Kind != "future" {
		t.Fatalf("due are %+v, want the future one", due)
	}
	for _, want := range []outbox.Message{sent, failed} {
		if got := must(store.Message(t.Context(), want.Number))(t); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	_, err := store.Message(t.Context(), 99)
	wantErr(t, err, outbox.ErrNotFound)
	if page := must(store.Messages(t.Context(), 1, 3, 10))(t); len(page) != 1 || page[0].Kind != "late" {
		t.Errorf("before message 3 world 1 has %+v", page)
	}
}

func outboxEndpoints(t *testing.T, open func() outbox.Store) {
	store := open()
	_, err := store.Endpoint(t.Context(), 1)
	wantErr(t, err, outbox.ErrNotFound)
	check(t, store.SetEndpoint(t.Context(), outbox.Endpoint{World: 1, URL: "https://cafe.example/hook"}))
	want := outbox.Endpoint{World: 1, URL: "https://cafe.example/other", Generation: 2, Disabled: true}
	check(t, store.SetEndpoint(t.Context(), want))
	if got := must(open().Endpoint(t.Context(), 1))(t); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
