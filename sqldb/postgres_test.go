package sqldb_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/outbox"
	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/attentionbank/attentionbank/storetest"
)

// TestPostgres runs every suite of the stores on a real server.
func TestPostgres(t *testing.T) {
	t.Parallel()
	server := storetest.StartPostgres(t)
	var mu sync.Mutex
	databases := map[string]string{}
	database := func(t *testing.T) string { // one a test, the same at every call
		mu.Lock()
		defer mu.Unlock()
		if databases[t.Name()] == "" {
			databases[t.Name()] = server.NewDatabase(t, fmt.Sprintf("test%d", len(databases)+1))
		}
		return databases[t.Name()]
	}
	closing := func(t *testing.T, store interface{ Close() error }) {
		t.Cleanup(func() {
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("journal", func(t *testing.T) {
		storetest.Journal(t, func(t *testing.T) journal.Store {
			store, err := sqldb.OpenJournal(t.Context(), database(t))
			if err != nil {
				t.Fatal(err)
			}
			closing(t, store)
			return store
		})
	})
	t.Run("store keys", func(t *testing.T) {
		testStoreKeys(t, server.NewDatabase(t, "keys"), server.NewDatabase(t, "copiedkeys"))
	})
	t.Run("events", func(t *testing.T) {
		storetest.Events(t, func(t *testing.T) storetest.EventStore {
			store, err := sqldb.OpenEvents(t.Context(), database(t))
			if err != nil {
				t.Fatal(err)
			}
			closing(t, store)
			return store
		})
	})
	t.Run("history", func(t *testing.T) {
		place := server.NewDatabase(t, "history")
		var opened *sqldb.History
		open := func(t *testing.T) history.Tables {
			if opened != nil {
				opened.Close()
			}
			var err error
			if opened, err = sqldb.OpenHistory(t.Context(), place); err != nil {
				t.Fatal(err)
			}
			return opened
		}
		t.Cleanup(func() { opened.Close() })
		storetest.History(t, func(t *testing.T) func() history.Tables {
			// A test may ask for many, each of which begins with nothing.
			if err := open(t).(*sqldb.History).Clear(t.Context()); err != nil {
				t.Fatal(err)
			}
			return func() history.Tables { return open(t) }
		})
	})
	t.Run("blocks", func(t *testing.T) {
		storetest.Blocks(t, func(t *testing.T) func() collect.Blocks { return openBlocksAt(t, database(t)) })
	})
	t.Run("outbox", func(t *testing.T) {
		storetest.Outbox(t, func(t *testing.T) func() outbox.Store { return openOutboxAt(t, database(t)) })
	})
	t.Run("identity", func(t *testing.T) {
		storetest.Identity(t, func(t *testing.T) func() identity.Store {
			var opened *sqldb.Identity
			t.Cleanup(func() { opened.Close() })
			return func() identity.Store {
				if opened != nil {
					opened.Close()
				}
				var err error
				if opened, err = sqldb.OpenIdentity(t.Context(), database(t)); err != nil {
					t.Fatal(err)
				}
				return opened
			}
		})
	})
}

// A server that is told to stop waiting for its standby answers a commit with
// success and a warning. Such a record is neither acknowledged nor read, until
// a later commit has reached the standby.
func TestPostgresThatDoesNotWait(t *testing.T) {
	t.Parallel()
	ctx, server := t.Context(), storetest.StartPostgres(t)
	standby := server.Standby(t)
	url := server.NewDatabase(t, "bank") + "&connect_timeout=2"
	store, err := sqldb.OpenJournal(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	record := func(seq uint64) journal.Record { return journal.Record{Seq: seq, Body: []byte("record")} }
	if err := store.Append(ctx, record(1)); err != nil {
		t.Fatal(err)
	}
	standby.Kill()
	appended := make(chan error, 1)
	go func() { appended <- store.Append(ctx, record(2)) }()
	const waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
	for server.Query(t, "postgres", "SELECT count(*) "+waiting) == "0" {
		select {
		case err := <-appended:
			t.Fatalf("the append did not wait for the standby: %v", err)
		default:
		}
	}
	server.Query(t, "postgres", "SELECT pg_cancel_backend(pid) "+waiting)
	if err := <-appended; err == nil {
		t.Error("a record that is on one server only was acknowledged")
	}
	load := func() (found int, err error) {
		for _, err := range store.Load(ctx, 1) {
			if err != nil {
				return found, err
			}
			found++
		}
		return found, nil
	}
	if found, err := load(); err == nil {
		t.Errorf("%d records were read while the last of them may be lost", found)
	}
	standby.Start(t)
	for {
		found, err := load()
		if err == nil && found == 2 {
			break
		}
		if err == nil {
			t.Fatalf("%d records were read, expected 2", found)
		}
	}
}

// A server that would lose what it acknowledges is not used.
func TestPostgresWithoutSync(t *testing.T) {
	t.Parallel()
	server := storetest.StartPostgres(t, "fsync = off")
	if _, err := sqldb.OpenJournal(t.Context(), server.NewDatabase(t, "bank")); err == nil || !strings.Contains(err.Error(), "fsync") {
		t.Errorf("opening a journal on a server without fsync: %v", err)
	}
}

// Two processes do not hold the bank of a database at once.
func TestLease(t *testing.T) {
	t.Parallel()
	server := storetest.StartPostgres(t)
	url := server.NewDatabase(t, "bank") + "&connect_timeout=2"
	first, err := sqldb.Lease(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sqldb.Lease(t.Context(), url); !errors.Is(err, sqldb.ErrTaken) {
		t.Errorf("a second lease: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := sqldb.Lease(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	server.Kill()
	select {
	case <-second.Done():
	case <-time.After(time.Minute):
		t.Error("the holder does not notice that its lease is lost")
	}
	second.Close() // of a server that is gone
}
