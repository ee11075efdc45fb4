package journal_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/journal"
)

var writeGolden = flag.Bool("write-golden", false, "write the golden journal of this engine version, if there is none")

// The journals in testdata/golden are of releases, one for each version of the
// engine. They are replayed for ever: every answer, every hash and the state
// at the end must come out as they did then.
//
// A file has a line a record, "record HASH BODY", and "state HASH" at the end,
// all in hexadecimal.
func TestGoldenJournals(t *testing.T) {
	ours := filepath.Join("testdata", "golden", fmt.Sprintf("engine-%d.txt", bank.Engine))
	if *writeGolden {
		writeGoldenJournal(t, ours)
	}
	paths, err := filepath.Glob(filepath.Join("testdata", "golden", "engine-*.txt"))
	if err != nil || len(paths) != bank.Engine {
		t.Fatalf("there are golden journals %v, %v; expected one for each of %d versions of the engine", paths, err, bank.Engine)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			r, want := readGoldenJournal(t, path)
			report := r.verify()
			if !report.Clean() || report.StateHash != want {
				t.Fatalf("the state is %s, it was %s; found %q; rules that change need a new engine version", report.StateHash, want, report.Findings)
			}
			w := r.mustOpen()
			submit(t, w, bank.RegisterWorld{Code: "opened-later"}.AppendTo(nil)) // the bank goes on from there
		})
	}
}

func readGoldenJournal(t *testing.T, path string) (r *rig, state string) {
	t.Helper()
	r = newRig(t)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(content))
	lines.Buffer(nil, 1<<20)
	for seq := uint64(1); lines.Scan(); seq++ {
		kind, rest, _ := strings.Cut(lines.Text(), " ")
		if kind == "state" {
			state = rest
			break
		}
		hash, body, _ := strings.Cut(rest, " ")
		record := journal.Record{Seq: seq}
		record.Body, err = hex.DecodeString(body)
		if n, hashErr := hex.Decode(record.Hash[:], []byte(hash)); kind != "record" || err != nil || hashErr != nil || n != len(record.Hash) {
			t.Fatalf("%s:%d is no record", path, seq)
		}
		if err := r.store.Append(context.Background(), record); err != nil {
			t.Fatal(err)
		}
		if err := r.head.Save(seq, record.Hash); err != nil {
			t.Fatal(err)
		}
		r.clock.ms.Store(record.Header().TimeMS)
	}
	if lines.Err() != nil || state == "" {
		t.Fatalf("%s does not end with its state: %v", path, lines.Err())
	}
	return r, state
}

func writeGoldenJournal(t *testing.T, path string) {
	if _, err := os.Stat(path); err == nil {
		t.Fatalf("%s is there: a golden journal is never written again once it was released", path)
	}
	r := newRig(t)
	goldenDays(t, r)
	var text bytes.Buffer
	kinds, ends := map[byte]bool{}, map[bank.Refusal]bool{}
	for _, record := range r.records() {
		fmt.Fprintf(&text, "record %x %x\n", record.Hash, record.Body)
		for pair, err := range record.Pairs() {
			if err != nil {
				t.Fatal(err)
			}
			if len(pair.Command) > 0 {
				kinds[pair.Command[0]] = true
			}
			ends[bank.Refusal(pair.Answer[0])] = true
		}
	}
	fmt.Fprintf(&text, "state %s\n", r.verify().StateHash)
	t.Logf("%d kinds of commands, %d kinds of answers, %d bytes", len(kinds), len(ends), text.Len())
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
