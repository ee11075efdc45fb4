package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/storetest"
)

// The bank's database is a PostgreSQL server with a synchronous standby. The
// server is killed under load, the standby takes its place, and the bank goes
// on with everything that was acknowledged. Of another process of the bank
// that slept through all this nothing is acknowledged, also when its old
// database is back.
func TestDatabaseLost(t *testing.T) {
	t.Parallel()
	old := storetest.StartPostgres(t)
	standby := old.Standby(t)
	old.NewDatabase(t, "bank")
	both := "ATTENTIONBANK_STORE=" + strings.Replace(old.URL("bank"), "/bank", fmt.Sprintf(",127.0.0.1:%d/bank", standby.Port), 1)
	b := newBank(t, both)
	from, to := b.fundedAccounts()

	l := &load{}
	var clients sync.WaitGroup
	stop := make(chan struct{})
	for client := range 3 {
		clients.Go(func() { b.sendEvents(l, fmt.Sprintf("c%d", client), stop) })
		clients.Go(func() { b.sendTransfers(l, from, to, fmt.Sprintf("c%d", client), stop) })
	}
	time.Sleep(2 * time.Second)
	old.Kill()
	b.requireEnd() // it cannot know what became of its last record
	close(stop)
	clients.Wait()
	standby.Promote(t)
	b.start()
	if len(l.ackedEvents) == 0 || len(l.ackedTransfers) == 0 {
		t.Fatal("nothing was acknowledged before the server was killed")
	}
	b.requireThere(l, to, 0)
	b.sendAgain(l, from, to)
	sent := len(l.ackedTransfers) + len(l.unsureTransfer)
	if got := b.balance(to); got != sent {
		t.Errorf("%d transfers were sent, %d arrived", sent, got)
	}
	t.Logf("%d events and %d transfers were acknowledged before", len(l.ackedEvents), len(l.ackedTransfers))
	b.stop()
	b.requireClean()
	b.moveTo(standby.NewDatabase(t, "moved"))
	if got := b.balance(to); got != sent {
		t.Errorf("%d transfers were sent, %d are in the restored bank", sent, got)
	}
}

// moveTo backs the stopped bank up, restores it into another database and
// starts it there.
func (b *bank) moveTo(url string) {
	b.t.Helper()
	folder := b.t.TempDir()
	backup, restored := filepath.Join(folder, "backup"), filepath.Join(folder, "restored")
	if output, err := b.run("backup", backup, "--data", b.folder, "--master-key"); err != nil {
		b.t.Fatalf("backup: %v\n%s", err, output)
	}
	b.env, b.folder = []string{"ATTENTIONBANK_STORE=" + url}, restored
	if output, err := b.run("restore", backup, "--data", restored); err != nil {
		b.t.Fatalf("restore: %v\n%s", err, output)
	}
	b.start()
}

// requireEnd waits until the process has ended by itself.
func (b *bank) requireEnd() {
	b.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- b.process.Wait() }()
	select {
	case err := <-ended:
		if err == nil {
			b.t.Errorf("the server ended without an error:\n%s", b.output)
		}
	case <-time.After(time.Minute):
		b.process.Process.Signal(syscall.SIGQUIT) // prints what it is doing
		<-ended
		b.t.Fatalf("the server still runs:\n%s", b.output)
	}
	b.process = nil
}

// A process of the bank sleeps while its database is lost and another process
// takes over on the standby. When it wakes, its old database is back too, and
// still nothing that it is told is acknowledged.
func TestOldWriterWithItsOldDatabase(t *testing.T) {
	t.Parallel()
	old := storetest.StartPostgres(t)
	standby := old.Standby(t)
	old.NewDatabase(t, "bank")
	sleeper := newBank(t, "ATTENTIONBANK_STORE="+old.URL("bank")+"&connect_timeout=2")
	from, to := sleeper.fundedAccounts()
	if answer, acknowledged := sleeper.post("/v1/transfers", "before", transferBody(from, to), 201); !acknowledged {
		t.Fatalf("answered %s", answer)
	}
	sleeper.process.Process.Signal(syscall.SIGSTOP)
	old.Kill()
	standby.Promote(t)

	// Another machine: it has the master key, and no second head.
	b := &bank{t: t, folder: t.TempDir(), env: []string{"ATTENTIONBANK_STORE=" + standby.URL("bank")}, operator: sleeper.operator, server: sleeper.server}
	key, err := os.ReadFile(filepath.Join(sleeper.folder, "master.key"))
	if err == nil {
		err = os.WriteFile(filepath.Join(b.folder, "master.key"), key, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if output, err := b.run("fsck", "--data", b.folder, "--accept-journal"); err != nil {
		t.Fatalf("fsck: %v\n%s", err, output)
	}
	b.start()
	t.Cleanup(b.kill)
	if answer, acknowledged := b.post("/v1/transfers", "after", transferBody(from, to), 201); !acknowledged {
		t.Fatalf("answered %s", answer)
	}

	old.Start(t)
	sleeper.process.Process.Signal(syscall.SIGCONT)
	var clients sync.WaitGroup
	for n := range 4 {
		clients.Go(func() {
			if answer, acknowledged := sleeper.post("/v1/transfers", fmt.Sprintf("lost-%d", n), transferBody(from, to), 201); acknowledged {
				t.Errorf("the old process acknowledged a transfer: %s", answer)
			}
			if answer, acknowledged := sleeper.post("/v1/batch", "", `{"batch":[`+eventBody("lost")+`]}`, 200); acknowledged {
				t.Errorf("the old process acknowledged an event: %s", answer)
			}
		})
	}
	clients.Wait()
	sleeper.requireEnd()
	// And it does not come back on the old database.
	if output, err := sleeper.run("serve", "--listen", "127.0.0.1:0", "--data", sleeper.folder); err == nil || !strings.Contains(string(output), "standby") {
		t.Errorf("serving the old database: %v\n%s", err, output)
	}
	if got := b.balance(to); got != 2 {
		t.Errorf("2 transfers were acknowledged, %d arrived", got)
	}
	b.stop()
	b.requireClean()
}
