package sqldb_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/attentionbank/attentionbank/storetest"
)

func TestHistory(t *testing.T) {
	testHistory(t, sqldb.OpenHistory)
}

func TestEncryptedHistory(t *testing.T) {
	testHistory(t, func(ctx context.Context, place string) (*sqldb.History, error) {
		return sqldb.OpenEncryptedHistory(ctx, place, [32]byte{7})
	})
}

func testHistory(t *testing.T, open func(ctx context.Context, place string) (*sqldb.History, error)) {
	storetest.History(t, func(t *testing.T) func() history.Tables {
		dir, err := os.MkdirTemp(t.TempDir(), "history")
		if err != nil {
			t.Fatal(err)
		}
		var opened *sqldb.History
		t.Cleanup(func() { opened.Close() })
		return func() history.Tables {
			if opened != nil {
				opened.Close()
			}
			if opened, err = open(t.Context(), filepath.Join(dir, "history.db")); err != nil {
				t.Fatal(err)
			}
			return opened
		}
	})
}
