package sqldb_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/attentionbank/attentionbank/storetest"
)

func TestHistory(t *testing.T) {
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
			if opened, err = sqldb.OpenHistory(t.Context(), filepath.Join(dir, "history.db")); err != nil {
				t.Fatal(err)
			}
			return opened
		}
	})
}
