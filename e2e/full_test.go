package e2e

import (
	"strings"
	"sync"
	"testing"
)

// The files of a bank can grow no further while events and transfers come in.
// The bank ends by itself and names the record that it could not write; with
// room again everything that was acknowledged is there, and once.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	b := &bank{t: t, folder: t.TempDir(), fileLimit: 2048}
	b.found()
	from, to := b.fundedAccounts()
	l := &load{}
	var clients sync.WaitGroup
	stop := make(chan struct{})
	clients.Go(func() { b.sendEvents(l, "full-events", stop) })
	clients.Go(func() { b.sendTransfers(l, from, to, "full-transfers", stop) })
	b.requireEnd()
	close(stop)
	clients.Wait()
	if said := b.output.String(); !strings.Contains(said, "appending record ") && !strings.Contains(said, "appending batch ") || !strings.Contains(said, "Hint: ") {
		t.Errorf("it did not say what it could not write:\n%s", said)
	}
	if len(l.ackedEvents) == 0 || len(l.ackedTransfers) == 0 {
		t.Fatal("nothing was acknowledged before the files were full")
	}
	t.Logf("%d events and %d transfers were acknowledged before", len(l.ackedEvents), len(l.ackedTransfers))
	b.requireClean()
	b.fileLimit = 0
	b.start()
	b.requireThere(l, to, 0)
	b.sendAgain(l, from, to)
	if got, sent := b.balance(to), len(l.ackedTransfers)+len(l.unsureTransfer); got != sent {
		t.Errorf("%d transfers were sent, %d arrived", sent, got)
	}
	b.stop()
	b.requireClean()
}
