package sqldb_test

import (
	"path/filepath"
	"testing"

	"github.com/attentionbank/attentionbank/outbox"
	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/attentionbank/attentionbank/storetest"
)

func TestOutbox(t *testing.T) {
	storetest.Outbox(t, func(t *testing.T) func() outbox.Store {
		return openOutboxAt(t, filepath.Join(t.TempDir(), "outbox.db"))
	})
}

func openOutboxAt(t *testing.T, place string) func() outbox.Store {
	var opened *sqldb.Outbox
	t.Cleanup(func() { opened.Close() })
	return func() outbox.Store {
		if opened != nil {
			opened.Close()
		}
		var err error
		if opened, err = sqldb.OpenOutbox(t.Context(), place); err != nil {
			t.Fatal(err)
		}
		return opened
	}
}
