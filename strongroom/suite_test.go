package strongroom_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/memory"
	"github.com/attentionbank/attentionbank/outbox"
	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/attentionbank/attentionbank/storetest"
	"github.com/attentionbank/attentionbank/strongroom"
)

func secret(fill byte) strongroom.Secret {
	var s strongroom.Secret
	for i := range s.Key {
		s.Key[i] = fill
	}
	s.From = "a test"
	return s
}

// shelf is a strongroom.KeyStore in memory.
type shelf struct{ text string }

func (s *shelf) StoreKeys(context.Context) (string, error) { return s.text, nil }

func (s *shelf) SaveStoreKeys(_ context.Context, text string) error { s.text = text; return nil }

func by(keys strongroom.Keys) func(context.Context) (strongroom.Keys, error) {
	return func(context.Context) (strongroom.Keys, error) { return keys, nil }
}

func openRing(t testing.TB, store strongroom.KeyStore, keys strongroom.Keys) *strongroom.Keyring {
	t.Helper()
	ring, err := strongroom.OpenKeyring(context.Background(), store, by(keys))
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// newRing returns a keyring with a number of store keys.
func newRing(t testing.TB, keys int) *strongroom.Keyring {
	t.Helper()
	ring := openRing(t, &shelf{}, secret(1))
	for range keys {
		if err := ring.Rotate(context.Background(), secret(1), time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
	}
	return ring
}

// once makes one value for each test.
func once[T any](make func(t *testing.T) T) func(t *testing.T) T {
	var mu sync.Mutex
	made := map[string]T{}
	return func(t *testing.T) T {
		mu.Lock()
		defer mu.Unlock()
		if value, found := made[t.Name()]; found {
			return value
		}
		made[t.Name()] = make(t)
		return made[t.Name()]
	}
}

// What stands in front of a store does what a store must do, with a key and
// without.
func TestJournal(t *testing.T) {
	for name, keys := range map[string]int{"encrypted": 2, "as it is": 0} {
		t.Run(name, func(t *testing.T) {
			ring := newRing(t, keys)
			t.Run("memory", func(t *testing.T) {
				inner := once(func(*testing.T) *memory.Journal { return memory.NewJournal() })
				storetest.Journal(t, func(t *testing.T) journal.Store { return strongroom.NewJournal(inner(t), ring) })
			})
			t.Run("SQLite", func(t *testing.T) {
				folder := once(func(t *testing.T) string { return t.TempDir() })
				storetest.Journal(t, func(t *testing.T) journal.Store {
					inner, err := sqldb.OpenJournal(context.Background(), filepath.Join(folder(t), "journal.db"))
					if err != nil {
						t.Fatal(err)
					}
					store := strongroom.NewJournal(inner, ring)
					t.Cleanup(func() {
						if err := store.Close(); err != nil {
							t.Error(err)
						}
					})
					return store
				})
			})
		})
	}
}

func TestEvents(t *testing.T) {
	for name, keys := range map[string]int{"encrypted": 2, "as it is": 0} {
		t.Run(name, func(t *testing.T) {
			ring := newRing(t, keys)
			t.Run("memory", func(t *testing.T) {
				inner := once(func(*testing.T) *memory.Events { return memory.NewEvents() })
				storetest.Events(t, func(t *testing.T) storetest.EventStore { return strongroom.NewEvents(inner(t), ring) })
			})
			t.Run("SQLite", func(t *testing.T) {
				folder := once(func(t *testing.T) string { return t.TempDir() })
				storetest.Events(t, func(t *testing.T) storetest.EventStore {
					inner, err := sqldb.OpenEvents(context.Background(), filepath.Join(folder(t), "events.db"))
					if err != nil {
						t.Fatal(err)
					}
					store := strongroom.NewEvents(inner, ring)
					t.Cleanup(func() {
						if err := store.Close(); err != nil {
							t.Error(err)
						}
					})
					return store
				})
			})
		})
	}
}

func TestOutbox(t *testing.T) {
	for name, keys := range map[string]int{"encrypted": 2, "as it is": 0} {
		t.Run(name, func(t *testing.T) {
			ring := newRing(t, keys)
			storetest.Outbox(t, func(*testing.T) func() outbox.Store {
				inner := memory.NewOutbox()
				return func() outbox.Store { return strongroom.NewOutbox(inner, ring) }
			})
		})
	}
}

// The body of a message is not in the store, and does not open in another's place.
func TestOutboxHidesBodies(t *testing.T) {
	ctx, inner := t.Context(), memory.NewOutbox()
	store := strongroom.NewOutbox(inner, newRing(t, 1))
	message := outbox.Message{Number: 1, World: 1, Kind: "purchase.created", Body: []byte("0.5 TIME for a song")}
	if err := store.Keep(ctx, 0, outbox.Cursor{Seq: 1}, []outbox.Message{message}); err != nil {
		t.Fatal(err)
	}
	kept, err := inner.Message(ctx, 1)
	if err != nil || bytes.Contains(kept.Body, []byte("song")) {
		t.Fatalf("kept is %q, %v", kept.Body, err)
	}
	kept.Number = 2
	if err := inner.Keep(ctx, 1, outbox.Cursor{Seq: 2}, []outbox.Message{kept}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Message(ctx, 2); !errors.Is(err, strongroom.ErrBroken) {
		t.Errorf("a body in another's place: %v", err)
	}
}
