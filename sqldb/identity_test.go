package sqldb_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/attentionbank/attentionbank/storetest"
)

func TestIdentity(t *testing.T) {
	storetest.Identity(t, func(t *testing.T) func() identity.Store {
		path := filepath.Join(t.TempDir(), "identity.db")
		var opened *sqldb.Identity
		t.Cleanup(func() { opened.Close() })
		return func() identity.Store {
			if opened != nil {
				opened.Close()
			}
			var err error
			if opened, err = sqldb.OpenIdentity(t.Context(), path); err != nil {
				t.Fatal(err)
			}
			return opened
		}
	})
}

// TestErasedBytesAreInNoFile erases some of many people and looks for what was
// kept of them in the bytes of the files.
func TestErasedBytesAreInNoFile(t *testing.T) {
	const people, step = 6000, 6
	dir := t.TempDir()
	store, err := sqldb.OpenIdentity(t.Context(), filepath.Join(dir, "identity.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	registry, err := identity.Open(t.Context(), store, [32]byte{1}, identity.Options{NowMS: func() int64 { return 1 }})
	if err != nil {
		t.Fatal(err)
	}
	records := make([]identity.SubjectRecord, people)
	for n := 0; n < people; n += 100 {
		refs := make([]identity.SubjectRef, 100)
		for i := range refs {
			refs[i] = identity.SubjectRef{World: 1, UserID: "person-" + strconv.Itoa(n+i)}
		}
		if _, err := registry.Resolve(t.Context(), refs); err != nil {
			t.Fatal(err)
		}
	}
	for n := range records {
		if records[n], err = store.Subject(t.Context(), uint64(n+1)); err != nil {
			t.Fatal(err)
		}
	}
	label := func(n int) []byte { return []byte("label of person " + strconv.Itoa(n) + ".") }
	for n := 0; n < people; n += 2 * step {
		s := records[n].Subject
		owner := identity.Principal{Kind: identity.Person, World: 1, Subject: s.Number, PersonID: s.Person}
		if _, _, err := registry.CreateKey(t.Context(), owner, string(label(n))); err != nil {
			t.Fatal(err)
		}
	}
	// What was known of people: replaced once, and then erased.
	details := map[int][]identity.Detail{}
	for _, country := range []string{"DE", "FR"} {
		for n := 0; n < people; n += 2 * step {
			if _, err := registry.SetAttributes(t.Context(), uint64(n+1), identity.Attributes{Country: country}); err != nil {
				t.Fatal(err)
			}
			detail, err := store.Detail(t.Context(), uint64(n+1), "attributes")
			if err != nil {
				t.Fatal(err)
			}
			details[n] = append(details[n], detail)
		}
	}
	kept := func(n int) map[string]bool {
		files := everyByte(t, dir)
		return map[string]bool{
			"wrapped key": bytes.Contains(files, records[n].WrappedKey[12:]),
			"sealed id":   bytes.Contains(files, records[n].SealedID[9:]),
			"lookup":      bytes.Contains(files, records[n].Lookup[:]),
			"label":       bytes.Contains(files, label(n)),
			"detail":      bytes.Contains(files, details[n][1].Sealed[9:]) || bytes.Contains(files, details[n][0].Sealed[9:]),
		}
	}
	for what, found := range kept(2 * step) {
		if !found {
			t.Fatalf("the %s was not in the files before it was erased: the search is wrong", what)
		}
	}
	for n := 2 * step; n < people; n += 10 * step {
		if err := registry.Erase(t.Context(), uint64(n+1)); err != nil {
			t.Fatal(err)
		}
		// Others come and move pages about.
		more := []identity.SubjectRef{{World: 2, UserID: strconv.Itoa(n)}, {World: 3, UserID: strconv.Itoa(n)}}
		if _, err := registry.Resolve(t.Context(), more); err != nil {
			t.Fatal(err)
		}
	}
	for n := 2 * step; n < people; n += 10 * step {
		for what, found := range kept(n) {
			if found {
				t.Errorf("the %s of subject %d is still in the files", what, n+1)
			}
		}
	}
	for what, found := range kept(4 * step) {
		if !found {
			t.Errorf("the %s of a subject that was not erased is gone", what)
		}
	}
}

// everyByte returns the contents of all files of a directory, one after
// another.
func everyByte(t *testing.T, dir string) (all []byte) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	return all
}
