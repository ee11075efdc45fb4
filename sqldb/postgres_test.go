package sqldb_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/attentionbank/attentionbank/storetest"
)

// TestPostgres runs every suite of the stores on a real server.
func TestPostgres(t *testing.T) {
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
