package sqldb

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/journal"
)

// When the file cannot grow any more, which SQLite tells as it tells of a full
// disk, the writer stops with an error that names the record, what it has
// acknowledged stays, and with room again the bank goes on.
func TestJournalOnAFullDisk(t *testing.T) {
	ctx, folder := t.Context(), t.TempDir()
	open := func(pages int) (*journal.Writer, func() error) {
		store, err := OpenJournal(ctx, filepath.Join(folder, "journal.db"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.log.write.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", pages)); err != nil {
			t.Fatal(err)
		}
		head, err := journal.OpenHeadFile(filepath.Join(folder, "head"))
		if err != nil {
			t.Fatal(err)
		}
		w, err := journal.Open(ctx, store, head, journal.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return w, func() error { return errors.Join(w.Close(context.Background()), store.Close(), head.Close()) }
	}
	w, end := open(40)
	people := uint64(0)
	for people < 1_000_000 {
		batch := make([][]byte, 100)
		for i := range batch {
			batch[i] = bank.RegisterPerson{ID: [16]byte(binary.BigEndian.AppendUint64(make([]byte, 8), people+uint64(i)+1))}.AppendTo(nil)
		}
		_, err := w.Submit(ctx, batch...)
		if err != nil {
			name := fmt.Sprintf("record %d", w.Durable()+1)
			if !strings.Contains(err.Error(), "full") || !strings.Contains(err.Error(), name) {
				t.Fatalf("%v; expected that the disk is full at %s", err, name)
			}
			break
		}
		people += uint64(len(batch))
	}
	if err := end(); err == nil || people == 0 {
		t.Fatalf("after %d people the disk was never full", people)
	}
	w, end = open(1 << 20)
	known := func() (known uint64) {
		if err := w.Read(ctx, func(state *bank.State) { known = state.People() }); err != nil {
			t.Fatal(err)
		}
		return known
	}
	if got := known(); got != people {
		t.Fatalf("%d people are known, %d were acknowledged", got, people)
	}
	if _, err := w.Submit(ctx, bank.RegisterPerson{ID: [16]byte{255}}.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	if got := known(); got != people+1 {
		t.Fatalf("%d people are known, expected one more than %d", got, people)
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
}
