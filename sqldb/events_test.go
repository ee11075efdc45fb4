package sqldb_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/attentionbank/attentionbank/storetest"
)

func TestEvents(t *testing.T) {
	folders := map[string]string{}
	storetest.Events(t, func(t *testing.T) storetest.EventStore {
		if folders[t.Name()] == "" {
			folders[t.Name()] = t.TempDir()
		}
		store, err := sqldb.OpenEvents(context.Background(), filepath.Join(folders[t.Name()], "events.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		return store
	})
}
