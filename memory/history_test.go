package memory_test

import (
	"testing"

	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/memory"
	"github.com/attentionbank/attentionbank/storetest"
)

func TestHistory(t *testing.T) {
	storetest.History(t, func(*testing.T) func() history.Tables {
		tables := memory.NewHistory()
		return func() history.Tables { return tables }
	})
}
