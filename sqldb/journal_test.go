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

func TestStoreKeys(t *testing.T) {
	folder := t.TempDir()
	testStoreKeys(t, filepath.Join(folder, "journal.db"), filepath.Join(folder, "copy.db"))
}

// testStoreKeys keeps the text of store keys, which comes along with a copy.
func testStoreKeys(t *testing.T, place, copied string) {
	ctx := t.Context()
	open := func(place string) *sqldb.Journal {
		t.Helper()
		store, err := sqldb.OpenJournal(ctx, place)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		return store
	}
	want := func(store *sqldb.Journal, want string) {
		t.Helper()
		if text, err := store.StoreKeys(ctx); err != nil || text != want {
			t.Fatalf("the store keys are %q, %v; expected %q", text, err, want)
		}
	}
	store := open(place)
	want(store, "")
	for _, text := range []string{"one\n", "one\ntwo\n"} {
		if err := store.SaveStoreKeys(ctx, text); err != nil {
			t.Fatal(err)
		}
		want(store, text)
		want(open(place), text)
	}
	if err := sqldb.Copy(ctx, "journal", place, copied); err != nil {
		t.Fatal(err)
	}
	want(open(copied), "one\ntwo\n")
}
