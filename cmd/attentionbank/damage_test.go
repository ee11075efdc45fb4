package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A byte of the real file of events is flipped, at many places one after the
// other: fsck finds it, or it was a byte that holds nothing. The bank does not
// open what fsck finds.
func TestFlippedBytesOfEvents(t *testing.T) {
	folder := t.TempDir()
	var plays strings.Builder
	plays.WriteString("user,time,id\n")
	for i := range 3000 {
		fmt.Fprintf(&plays, "user-%d,2026-01-01 00:00:%02d,%d\n", i%50, i%60, i)
	}
	status, _, stderr := command(t, plays.String(), "import", "-", "--world", "arcade", "--data", folder, "--map", "person=user,time=time,id=id")
	if status != 0 {
		t.Fatal(stderr)
	}
	status, clean, _ := command(t, "", "fsck", "--data", folder)
	if status != 0 {
		t.Fatal(clean)
	}
	path := filepath.Join(folder, "events.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found, harmless := 0, 0
	for at := 100; at < len(whole); at += len(whole)/60 + 1 {
		changed := bytes.Clone(whole)
		changed[at] ^= 0x10
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		status, report, stderr := command(t, "", "fsck", "--data", folder)
		switch {
		case status == 1 && strings.Contains(report+stderr, "event"):
			found++
		case status == 0 && report == clean:
			harmless++
		default:
			t.Errorf("byte %d: exit %d: %s%s", at, status, report, stderr)
		}
		for _, leftover := range []string{path + "-wal", path + "-shm"} {
			os.Remove(leftover) // there is nothing in them after a clean end
		}
	}
	t.Logf("of the bytes that were flipped fsck found %d, and %d hold nothing that is read", found, harmless)
	if found == 0 {
		t.Error("nothing was found")
	}
	// A log without its last batches, as after a disk that lied; in clear, since
	// no other could be read here.
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	if status, _, stderr := command(t, "user,time,id\na,2026-01-01,1\n", "import", "-", "--world", "arcade", "--data", other, "--plain", "--map", "person=user,time=time,id=id"); status != 0 {
		t.Fatal(stderr)
	}
	shorter, err := os.ReadFile(filepath.Join(other, "events.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, shorter, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"fsck", "--data", folder}, {"import", "-", "--world", "arcade", "--data", folder, "--map", "person=user"}} {
		status, report, stderr := command(t, "user\n", args...)
		if status != 1 || !strings.Contains(report+stderr, "log of events is damaged") {
			t.Errorf("%s on another log of events: exit %d: %s%s", args[0], status, report, stderr)
		}
	}
}

func FuzzRows(f *testing.F) {
	f.Add("user,hours,time\na,1.5,2026-01-01\n", "comma")
	f.Add("user hours time\n a 1.5 20260101\n", "space")
	f.Add(`{"type":"page","userId":"u","messageId":"1","timestamp":"2026-01-01T00:00:00Z"}`, "comma")
	f.Fuzz(func(t *testing.T, text, delimiter string) {
		rows, err := openRows(strings.NewReader(text), columns{"person": "user", "hours": "hours", "time": "time"}, delimiter)
		if err != nil {
			return
		}
		tally := newTally(defaultPolicy)
		for range 1000 {
			r, err := rows.next()
			if isBadRow(err) {
				continue
			}
			if err != nil {
				break
			}
			if err := tally.add(r); err != nil {
				break
			}
		}
		tally.scores(16_667)
	})
}

// FuzzReported reads any text as a sample of events for policy check: sums are
// never below zero, or the text is refused.
func FuzzReported(f *testing.F) {
	f.Add(`{"type":"track","event":"Jumped","userId":"u","messageId":"1","timestamp":"2026-01-01T00:00:00Z"}`)
	f.Add("{\"type\":\"page\"\n\n{")
	f.Add(`{"type":"track","event":"Order Completed","userId":"u","timestamp":"2026-01-01T00:00:00Z","properties":{"revenue":"9999999999999999999"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		env := &environment{context: t.Context(), stdin: strings.NewReader(text), stdout: io.Discard, stderr: io.Discard}
		list, err := readReported(env, "-", defaultPolicy)
		if err != nil {
			return
		}
		for _, r := range list {
			if r.Count < 1 || r.PresenceSeconds < 0 || r.weightMicro < 0 {
				t.Fatalf("%q comes to %+v", text, r)
			}
		}
	})
}

// FuzzTexts reads any text as the single values of tables and flags.
func FuzzTexts(f *testing.F) {
	for _, text := range []string{"2026-01-01", "20260101", "1767225600.25", "2026-01-01 00:00:00 UTC", "true", "-1e9", "NaN", "1e400", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if value, err := parseOutcome(text); err == nil && !(math.Abs(value) <= 1e12) {
			t.Errorf("outcome %q was read as %v", text, value)
		}
		// What is read is a time that others can read too.
		if ms, err := parseTime(text); err == nil {
			written := time.UnixMilli(ms).UTC().Format(time.RFC3339Nano)
			if again, err := parseTime(written); err == nil && again != ms {
				t.Errorf("time %q was read as %d, and %q as %d", text, ms, written, again)
			}
		}
	})
}
