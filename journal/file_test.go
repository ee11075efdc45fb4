package journal_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/sqldb"
)

// files is a journal on real files.
type files struct {
	folder string
	store  *sqldb.Journal
	head   *journal.HeadFile
	writer *journal.Writer
}

func openFolder(folder string) (f *files, err error) {
	f = &files{folder: folder}
	if f.store, err = sqldb.OpenJournal(context.Background(), filepath.Join(folder, "journal.db")); err != nil {
		return nil, err
	}
	if f.head, err = journal.OpenHeadFile(filepath.Join(folder, "head")); err != nil {
		return nil, errors.Join(err, f.store.Close())
	}
	if f.writer, err = journal.Open(context.Background(), f.store, f.head, journal.Options{}); err != nil {
		return nil, errors.Join(err, f.store.Close(), f.head.Close())
	}
	return f, nil
}

func (f *files) close(t testing.TB) {
	t.Helper()
	if err := errors.Join(f.writer.Close(context.Background()), f.store.Close(), f.head.Close()); err != nil {
		t.Fatal(err)
	}
}

// copied copies the files of a folder as they are, which is what is left when
// the machine stops at this moment.
func copied(t testing.TB, folder string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range []string{"journal.db", "journal.db-wal", "head"} {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// moments makes a journal on real files and returns what was left of it after
// each of n transfers, and the state hash at each of these moments.
func moments(t testing.TB, n int) (folders []string, seqs []uint64, hashes [][32]byte) {
	t.Helper()
	f, err := openFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	accounts := fund(t, f.writer, 100, 1000) // records over several pages of the file
	for i := range n {
		submit(t, f.writer, transfer(uint64(i+1), accounts[i], accounts[i+1], 1))
		folders, seqs = append(folders, copied(t, f.folder)), append(seqs, f.writer.Durable())
		hashes = append(hashes, stateHash(t, f.writer))
	}
	f.close(t)
	return folders, seqs, hashes
}

// reopened opens a folder and returns the hash of the state at a record, as
// the journal gives it from its first record on, and how many records it has.
func reopened(folder string, seq uint64) (hash [32]byte, records uint64, err error) {
	f, err := openFolder(folder)
	if err != nil {
		return hash, 0, err
	}
	defer func() { err = errors.Join(err, f.writer.Close(context.Background()), f.store.Close(), f.head.Close()) }()
	state, err := journal.StateAt(context.Background(), f.store, seq, func(uint64) {})
	if err != nil {
		return hash, 0, err
	}
	return state.Hash(), f.writer.Durable() - 1, nil
}

func put(t testing.TB, folder, from string, names ...string) {
	t.Helper()
	for _, name := range names {
		change(t, filepath.Join(folder, name), func([]byte) []byte {
			content, err := os.ReadFile(filepath.Join(from, name))
			if err != nil {
				t.Fatal(err)
			}
			return content
		})
	}
}

func change(t testing.TB, path string, with func([]byte) []byte) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, with(content), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A disk that said that writes are durable and lost them: whichever moment the
// journal fell back to, the second head tells, and the first missing record is
// named. The other way round, with a head that was not yet saved, all is there.
func TestFilesLostWrites(t *testing.T) {
	folders, seqs, hashes := moments(t, 6)
	for is := range folders {
		for was := range folders {
			folder := copied(t, folders[is])
			put(t, folder, folders[was], "head")
			hash, records, err := reopened(folder, seqs[is])
			switch {
			case was > is:
				missing := fmt.Sprintf("record %d", seqs[is]+1)
				if !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), missing) {
					t.Fatalf("the journal ends at record %d, the head is at %d: %v", seqs[is], seqs[was], err)
				}
			case err != nil || hash != hashes[is] || records != seqs[is]:
				t.Fatalf("the journal ends at record %d, the head is at %d: %d records, %v", seqs[is], seqs[was], records, err)
			}
		}
	}
	whole := folders[len(folders)-1]
	for _, name := range []string{"journal.db", "journal.db-wal", "head"} {
		folder := copied(t, whole)
		if err := os.Remove(filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := reopened(folder, 1); !errors.Is(err, journal.ErrDamaged) {
			t.Fatalf("%s is gone: %v", name, err)
		}
	}
}

// The last record was torn off while it was written. If it was acknowledged,
// it is missed; if it was not, the bank goes on with the one before.
func TestFilesTornLog(t *testing.T) {
	folders, seqs, hashes := moments(t, 2)
	info, err := os.Stat(filepath.Join(folders[0], "journal.db-wal"))
	if err != nil {
		t.Fatal(err)
	}
	start := info.Size()
	info, err = os.Stat(filepath.Join(folders[1], "journal.db-wal"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() == start {
		t.Fatal("the log has not grown with the last record, so nothing can be torn off it")
	}
	for length := start; length < info.Size(); length += 119 {
		torn := copied(t, folders[1])
		change(t, filepath.Join(torn, "journal.db-wal"), func(content []byte) []byte { return content[:length] })
		unacknowledged := copied(t, torn)
		put(t, unacknowledged, folders[0], "head")
		_, _, err := reopened(torn, 1)
		if !errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), fmt.Sprintf("record %d", seqs[1])) {
			t.Fatalf("the log torn at byte %d: %v", length, err)
		}
		hash, records, err := reopened(unacknowledged, seqs[0])
		if err != nil || records != seqs[0] || hash != hashes[0] {
			t.Fatalf("the log torn at byte %d before the head was saved: %d records, %v", length, records, err)
		}
	}
}

// Bytes flipped anywhere in the files, and files cut off anywhere, give an
// error or change nothing that is read: never another state or fewer records.
func TestFilesDamaged(t *testing.T) {
	folders, seqs, hashes := moments(t, 3)
	last := len(folders) - 1
	closed := copied(t, folders[last]) // as a clean end leaves it: one file
	if f, err := openFolder(closed); err != nil {
		t.Fatal(err)
	} else {
		f.close(t)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ folder, name string }{
		{closed, "journal.db"}, {folders[last], "journal.db-wal"}, {folders[last], "head"},
	} {
		found := 0
		const rounds = 60
		for round := range rounds {
			folder, at := copied(t, c.folder), 0
			change(t, filepath.Join(folder, c.name), func(content []byte) []byte {
				at = random.IntN(len(content))
				if round%4 == 3 {
					return content[:at]
				}
				content[at] ^= 1 << random.IntN(8)
				return content
			})
			hash, records, err := reopened(folder, seqs[last])
			if err == nil && (hash != hashes[last] || records < seqs[last]) {
				t.Fatalf("%s damaged at byte %d: the journal was opened with %d records", c.name, at, records)
			}
			if err != nil {
				if found++; !strings.Contains(err.Error(), "record ") && !strings.Contains(err.Error(), "journal.db") && !strings.Contains(err.Error(), "second head") {
					t.Fatalf("%s damaged at byte %d: %v; it names neither record nor file", c.name, at, err)
				}
			}
		}
		if found == 0 && c.name != "head" {
			t.Fatalf("%s damaged %d times, and nothing was found out", c.name, rounds)
		}
		t.Logf("%s: %d of %d damages hit something that is read", c.name, found, rounds)
	}
}

// Two processes on one file: the second takes over, the first steps down.
func TestFilesSecondWriter(t *testing.T) {
	first, err := openFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	accounts := fund(t, first.writer, 2, 1000)
	second, err := openFolder(first.folder)
	if err != nil {
		t.Fatal(err)
	}
	defer second.close(t)
	if _, err := first.writer.Submit(t.Context(), transfer(1, accounts[0], accounts[1], 1)); !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("the first writer answered %v", err)
	}
	if err := first.writer.Close(t.Context()); !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("the first writer ended with %v", err)
	}
	if err := errors.Join(first.store.Close(), first.head.Close()); err != nil {
		t.Fatal(err)
	}
	submit(t, second.writer, transfer(1, accounts[0], accounts[1], 1))
	if report := verify(t, second.store, second.head); !report.Clean() {
		t.Fatal(report.Findings)
	}
}
