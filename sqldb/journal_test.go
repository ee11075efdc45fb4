package sqldb_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/attentionbank/attentionbank/storetest"
)

func TestJournal(t *testing.T) {
	var mu sync.Mutex
	folders := map[string]string{}
	storetest.Journal(t, func(t *testing.T) journal.Store {
		mu.Lock()
		defer mu.Unlock()
		if folders[t.Name()] == "" {
			folders[t.Name()] = t.TempDir()
		}
		store, err := sqldb.OpenJournal(context.Background(), filepath.Join(folders[t.Name()], "journal.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		})
		return store
	})
}
