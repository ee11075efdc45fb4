package memory_test

import (
	"testing"

	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/memory"
	"github.com/attentionbank/attentionbank/storetest"
)

func TestJournal(t *testing.T) {
	stores := map[string]*memory.Journal{}
	storetest.Journal(t, func(t *testing.T) journal.Store {
		if stores[t.Name()] == nil {
			stores[t.Name()] = memory.NewJournal()
		}
		return stores[t.Name()]
	})
}
