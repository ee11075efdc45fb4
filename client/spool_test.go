package client

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func opened(t interface {
	Helper()
	Fatal(...any)
}, folder string) (*spool, []string, []string) {
	t.Helper()
	s, waiting, damaged, err := openSpool(folder)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, event := range waiting {
		texts = append(texts, string(event))
	}
	return s, texts, damaged
}

func closed(t *testing.T, s *spool) {
	t.Helper()
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
}

// segments returns the files of a spool.
func segments(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*"+segmentSuffix))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// What was appended and not acknowledged waits when the spool is opened again,
// in order; what was acknowledged does not, and takes no place.
func TestSpoolKeepsWhatIsNotAcknowledged(t *testing.T) {
	folder := t.TempDir()
	s, waiting, _ := opened(t, folder)
	if len(waiting) != 0 {
		t.Fatalf("a new spool has %v", waiting)
	}
	for i := range 5 {
		if err := s.append(fmt.Appendf(nil, "event-%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.acknowledge(2); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := openSpool(folder); err == nil {
		t.Error("two hold one spool at a time")
	}
	closed(t, s)
	for range 2 { // opening it changes nothing
		s, waiting, _ = opened(t, folder)
		if want := []string{"event-2", "event-3", "event-4"}; !slices.Equal(waiting, want) {
			t.Fatalf("%v wait, %v were expected", waiting, want)
		}
		closed(t, s)
	}
	s, _, _ = opened(t, folder)
	if err := s.append([]byte("event-5")); err != nil {
		t.Fatal(err)
	}
	if err := s.acknowledge(4); err != nil {
		t.Fatal(err)
	}
	if files := segments(t, folder); len(files) != 0 {
		t.Errorf("nothing waits, and there are %v", files)
	}
	closed(t, s)
}

// Any sequence of appends, acknowledgements and restarts: what waits is what a
// list would hold.
func TestSpoolIsAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		folder, err := os.MkdirTemp("", "attentionbank-spool-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(folder)
		s, _, _ := opened(t, folder)
		var list []string
		for i := range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0, 1:
				event := fmt.Sprintf("event-%d-%s", i, bytes.Repeat([]byte("x"), rapid.IntRange(0, 300).Draw(t, "bytes")))
				if err := s.append([]byte(event)); err != nil {
					t.Fatal(err)
				}
				list = append(list, event)
			case 2:
				n := rapid.IntRange(0, len(list)).Draw(t, "acknowledged")
				if err := s.acknowledge(n); err != nil {
					t.Fatal(err)
				}
				list = list[n:]
			case 3:
				if err := s.begin(); err != nil { // as when a segment is full
					t.Fatal(err)
				}
			case 4:
				if err := s.close(); err != nil {
					t.Fatal(err)
				}
				var waiting []string
				if s, waiting, _ = opened(t, folder); !slices.Equal(waiting, list) {
					t.Fatalf("%v wait, %v were expected", waiting, list)
				}
			}
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
	})
}

// A crash tears a segment at any byte: the whole records before it are there,
// and nobody is told of damage.
func TestSpoolBearsATornTail(t *testing.T) {
	folder := t.TempDir()
	s, _, _ := opened(t, folder)
	events := []string{"first", "second event", "third"}
	ends := []int{0}
	for _, event := range events {
		if err := s.append([]byte(event)); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, ends[len(ends)-1]+recordHead+len(event))
	}
	closed(t, s)
	whole, err := os.ReadFile(segments(t, folder)[0])
	if err != nil {
		t.Fatal(err)
	}
	for length := range len(whole) + 1 {
		for _, zeros := range []int{0, 100} { // some file systems leave these
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, "0000000000000001"+segmentSuffix), append(slices.Clone(whole[:length]), make([]byte, zeros)...), 0o600); err != nil {
				t.Fatal(err)
			}
			there := 0
			for there < len(events) && ends[there+1] <= length {
				there++
			}
			if zeros > 0 && length != ends[there] {
				continue // a torn record with zeros behind it cannot be told from damage
			}
			s, waiting, damaged := opened(t, folder)
			if !slices.Equal(waiting, events[:there]) || len(damaged) != 0 {
				t.Errorf("torn at %d with %d zeros: %v wait, damage %v", length, zeros, waiting, damaged)
			}
			// And it goes on from there.
			if err := s.append([]byte("next")); err != nil {
				t.Fatal(err)
			}
			closed(t, s)
			s, waiting, _ = opened(t, folder)
			if !slices.Equal(waiting, append(slices.Clone(events[:there]), "next")) {
				t.Errorf("after it was torn at %d: %v wait", length, waiting)
			}
			closed(t, s)
		}
	}
}

// A byte that changed is found: what stands before it is there, the file is
// kept aside, and the program is told.
func TestSpoolFindsDamage(t *testing.T) {
	folder := t.TempDir()
	s, _, _ := opened(t, folder)
	for _, event := range []string{"first", "second", "third"} {
		if err := s.append([]byte(event)); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, s)
	path := segments(t, folder)[0]
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[recordHead+len("first")+recordHead] ^= 1
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s, waiting, damaged := opened(t, folder)
	defer closed(t, s)
	if !slices.Equal(waiting, []string{"first"}) || len(damaged) != 1 {
		t.Errorf("%v wait, damage %v", waiting, damaged)
	}
	if kept, err := os.ReadFile(path + ".damaged"); err != nil || !bytes.Equal(kept, text) {
		t.Errorf("the damaged file was not kept: %v", err)
	}
}

// Any bytes at all: what is read is what the records say, and no more.
func FuzzSpool(f *testing.F) {
	record := func(event string) []byte {
		head := binary.LittleEndian.AppendUint32(nil, uint32(len(event)))
		return append(binary.LittleEndian.AppendUint32(head, crc32.Checksum([]byte(event), castagnoli)), event...)
	}
	f.Add(append(record("first"), record("second")...))
	f.Add(record("torn")[:9])
	f.Add(make([]byte, 40))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, text []byte) {
		events, _ := readSegment(text)
		var again []byte
		for _, event := range events {
			again = append(again, record(string(event))...)
		}
		if !bytes.HasPrefix(text, again) {
			t.Errorf("%q read as %q", text, events)
		}
	})
}
