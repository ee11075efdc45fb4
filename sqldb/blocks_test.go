package sqldb_test

import (
	"path/filepath"
	"testing"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/attentionbank/attentionbank/storetest"
)

func TestBlocks(t *testing.T) {
	storetest.Blocks(t, func(t *testing.T) func() collect.Blocks { return openBlocksAt(t, filepath.Join(t.TempDir(), "ids.db")) })
}

func openBlocksAt(t *testing.T, place string) func() collect.Blocks {
	var opened *sqldb.Blocks
	t.Cleanup(func() { opened.Close() })
	return func() collect.Blocks {
		if opened != nil {
			opened.Close()
		}
		var err error
		if opened, err = sqldb.OpenBlocks(t.Context(), place); err != nil {
			t.Fatal(err)
		}
		return opened
	}
}
