package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/sqldb"
)

// A purge whose process is killed, again and again, loses nothing but what it is
// meant to: the log verifies after each, the next goes on where it was, and in the
// end what one world keeps no longer is in no byte of any file, while the other
// world's events are all there.
func TestPurgeIsKilled(t *testing.T) {
	const batches, events = 300, 5
	site := Site{Data: t.TempDir()}
	fillOld(t, site, batches, events)
	gone, kept := storedBytes(t, site, 1), storedBytes(t, site, 2)
	if found := standing(t, site.Data, map[string][]byte{"gone": gone, "kept": kept}); len(found) != 2 {
		t.Fatalf("the events are not found where they are: %v", found)
	}
	inTheMiddle, before := false, uint64(0)
	for wait := 60 * time.Millisecond; ; wait += 12 * time.Millisecond {
		process := exec.Command("attentionbank", "purge", "--data", site.Data, "--json")
		var stdout, stderr bytes.Buffer
		process.Stdout, process.Stderr = &stdout, &stderr
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		killed := time.AfterFunc(wait, func() { process.Process.Kill() })
		err := process.Wait()
		killed.Stop()
		report := fsck(t, site)
		if !report.Clean() || report.EventDropped < before {
			t.Fatalf("after a kill at %s, %d were dropped, before it %d: %v", wait, report.EventDropped, before, report.Findings)
		}
		before = report.EventDropped
		inTheMiddle = inTheMiddle || before > 0 && before < batches*events
		if err == nil {
			break
		}
		if process.ProcessState.Exited() {
			t.Fatalf("the purge failed: %s", stderr.String())
		}
	}
	if before != batches*events || !inTheMiddle {
		t.Errorf("%d of %d events were dropped; killed in the middle: %v", before, batches*events, inTheMiddle)
	}
	if found := standing(t, site.Data, map[string][]byte{"gone": gone, "kept": kept}); len(found) != 1 || !strings.HasPrefix(found[0], "kept") {
		t.Errorf("after the purge the files have %v", found)
	}
}

// fillOld fills a bank with what two worlds have reported 60 days ago, in turn a
// batch each. The first keeps its events for 7 days.
func fillOld(t *testing.T, site Site, batches, events int) {
	t.Helper()
	nowMS := systemMS() - 60*24*time.Hour.Milliseconds()
	n, err := openNode(t.Context(), site, func() int64 { return nowMS }, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	_, err = n.journal.Submit(t.Context(), bank.RegisterWorld{Code: "cafe"}.AppendTo(nil), bank.RegisterWorld{Code: "plaza"}.AppendTo(nil),
		bank.SetRetention{World: 1, Days: bank.MinRetentionDays}.AppendTo(nil))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 * batches {
		nowMS += 1000
		request := collect.Request{World: uint32(1 + i%2), Trust: collect.TrustServer}
		for j := range events {
			request.Items = append(request.Items, event.Item{Event: event.Event{Call: event.Track, Type: "Jumped", UserID: fmt.Sprint("user ", j), MessageID: fmt.Sprint(i, " ", j), TimeMS: nowMS}})
		}
		if _, err := n.collector.Accept(t.Context(), request); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.close(); err != nil {
		t.Fatal(err)
	}
}

// storedBytes returns some bytes of a batch as they are stored.
func storedBytes(t *testing.T, site Site, seq uint64) []byte {
	t.Helper()
	store, err := sqldb.OpenEvents(t.Context(), filepath.Join(site.Data, "events.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for b, err := range store.Load(t.Context(), seq) {
		if err != nil {
			t.Fatal(err)
		}
		return b.Body[len(b.Body)/2 : len(b.Body)/2+48]
	}
	t.Fatalf("there is no batch %d", seq)
	return nil
}

func fsck(t *testing.T, site Site) (report fsckReport) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	run(&environment{t.Context(), strings.NewReader(""), &stdout, &stderr}, []string{"fsck", "--json", "--data", site.Data})
	if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
		t.Fatalf("%v: %s%s", err, stdout.String(), stderr.String())
	}
	return report
}
