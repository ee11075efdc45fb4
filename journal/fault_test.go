package journal_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/memory"
)

// paid returns a rig whose writer has ended without a snapshot, as after a
// crash: n transfers of 1, a record each, behind the records of fund.
func paid(t testing.TB, n int) (r *rig, accounts []uint64) {
	t.Helper()
	r = newRig(t)
	w := r.mustOpen()
	accounts = fund(t, w, 2, 1000)
	for i := range n {
		submit(t, w, transfer(uint64(i+1), accounts[0], accounts[1], 1))
	}
	crash(t, r, w)
	return r, accounts
}

var errCrash = errors.New("the machine lost its power")

// crash ends a writer without closing it.
func crash(t testing.TB, r *rig, w *journal.Writer) {
	t.Helper()
	r.store.OnAppend = func(journal.Record) memory.Outcome { return memory.Outcome{Err: errCrash} }
	if _, err := w.Submit(context.Background(), bank.RegisterPerson{ID: [16]byte{255}}.AppendTo(nil)); !errors.Is(err, errCrash) {
		t.Fatalf("the crash was answered %v", err)
	}
	<-w.Done()
	r.store.OnAppend = nil
}

func (r *rig) records() (records []journal.Record) {
	r.t.Helper()
	for record, err := range r.store.Load(context.Background(), 1) {
		if err != nil {
			r.t.Fatal(err)
		}
		records = append(records, record)
	}
	return records
}

// An append can fail in more than one way. Whatever was acknowledged is there
// after a restart, and what was not is there only if its outcome was unknown.
func TestAppendFails(t *testing.T) {
	lost := errors.New("the connection was lost")
	for _, c := range []struct {
		what         string
		outcome      memory.Outcome
		unreadable   bool // the record cannot be read back either
		acknowledged bool
		there        bool // after a restart
	}{
		{"failed", memory.Outcome{Err: lost}, false, false, false},
		{"the disk is full", memory.Outcome{Err: memory.ErrDiskFull}, false, false, false},
		{"failed but persisted", memory.Outcome{Err: lost, Persisted: true}, false, true, true},
		{"failed but persisted and not readable", memory.Outcome{Err: lost, Persisted: true}, true, false, true},
		{"failed and not readable", memory.Outcome{Err: lost}, true, false, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := newRig(t)
			w := r.mustOpen()
			accounts := fund(t, w, 2, 1000)
			seq := w.Durable() + 1
			r.store.OnAppend = func(journal.Record) memory.Outcome { return c.outcome }
			if c.unreadable {
				r.store.OnLoad = func(uint64) error { return lost }
			}
			_, err := w.Submit(t.Context(), transfer(1, accounts[0], accounts[1], 10))
			if c.acknowledged != (err == nil) {
				t.Fatalf("the transfer was answered %v", err)
			}
			if !c.acknowledged {
				requireStopped(t, w, err, c.outcome.Err, seq)
			}
			r.store.OnAppend, r.store.OnLoad = nil, nil
			again := r.mustOpen()
			want := int64(1000)
			if c.there {
				want = 990
			}
			if got := account(t, again, accounts[0]).Balance; got != want {
				t.Fatalf("after the restart the balance is %d, expected %d", got, want)
			}
			// The client asks again and gets one answer, whatever had happened.
			if answer := submit(t, again, transfer(1, accounts[0], accounts[1], 10)); answer.Repeated != c.there {
				t.Fatalf("the client that asked again was answered %+v", answer)
			}
			if got := account(t, again, accounts[0]).Balance; got != 990 {
				t.Fatalf("after asking again the balance is %d, expected 990", got)
			}
			if report := r.verify(); !report.Clean() {
				t.Fatal(report.Findings)
			}
		})
	}
}

// requireStopped expects that a writer has told why it stopped, naming the
// record, and takes nothing any more.
func requireStopped(t *testing.T, w *journal.Writer, err, cause error, seq uint64) {
	t.Helper()
	name := fmt.Sprintf("record %d", seq)
	<-w.Done()
	for _, err := range []error{err, w.Err(), w.Close(t.Context())} {
		if !errors.Is(err, cause) || !strings.Contains(err.Error(), name) {
			t.Fatalf("%v: expected %q and %q", err, cause, name)
		}
	}
	if _, err := w.Submit(t.Context(), []byte{1}); !errors.Is(err, journal.ErrStopped) {
		t.Fatalf("a stopped writer answered %v", err)
	}
	if w.Durable() >= seq {
		t.Fatalf("record %d is shown as durable", seq)
	}
}

// A record that is in the store but not in the second head was acknowledged to
// nobody; the next writer carries on behind it.
func TestSecondHeadFails(t *testing.T) {
	r := newRig(t)
	w := r.mustOpen()
	accounts := fund(t, w, 2, 1000)
	seq := w.Durable() + 1
	r.head.OnSave = func(uint64) error { return memory.ErrDiskFull }
	_, err := w.Submit(t.Context(), transfer(1, accounts[0], accounts[1], 10))
	requireStopped(t, w, err, memory.ErrDiskFull, seq)
	r.head.OnSave = nil
	if got := account(t, r.mustOpen(), accounts[0]).Balance; got != 990 {
		t.Fatalf("the balance is %d, expected 990", got)
	}
}

// A store that loses records which it said were durable is found out, however
// many it lost, with a snapshot or without.
func TestLostTailIsFoundOut(t *testing.T) {
	for _, snapshot := range []bool{false, true} {
		r, _ := paid(t, 8)
		if snapshot {
			if err := r.mustOpen().Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for last := len(r.records()); last > 0; last-- {
			r.store.Lose(uint64(last) - 1)
			r.requireDamage(fmt.Sprintf("records from %d on lost", last), fmt.Sprintf("record %d", last))
			if report := r.verify(); report.Clean() {
				t.Fatalf("Verify finds nothing with the records from %d on lost", last)
			}
		}
	}
}

// Both witnesses went with the tail; the snapshot behind it still tells.
func TestSnapshotBehindTheEndIsFoundOut(t *testing.T) {
	r, _ := paid(t, 4)
	if err := r.mustOpen().Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	records := r.records()
	last := records[len(records)-2]
	shorter := &rig{t: t, store: memory.NewJournal(), head: &memory.Head{}, clock: r.clock}
	for _, record := range records[:last.Seq] {
		if err := shorter.store.Append(t.Context(), record); err != nil {
			t.Fatal(err)
		}
	}
	copySnapshots(t, shorter.store, r.store)
	if err := shorter.head.Save(last.Seq, last.Hash); err != nil {
		t.Fatal(err)
	}
	shorter.requireDamage("journal and head put back", fmt.Sprintf("record %d", last.Seq+1))
	if shorter.verify().Clean() {
		t.Fatal("Verify finds nothing")
	}
	// An operator who wants just that says so.
	if seq, err := journal.AcceptHead(t.Context(), shorter.store, shorter.head); err != nil || seq != last.Seq {
		t.Fatalf("accepting the journal: record %d, %v", seq, err)
	}
	shorter.mustOpen()
	if report := shorter.verify(); !report.Clean() {
		t.Fatal(report.Findings)
	}
}

// replaced returns the rig with one record changed. Where rehash is set, the
// record's own hash fits its changed bytes.
func (r *rig) replaced(seq uint64, rehash bool, change func(body []byte) []byte) *rig {
	r.t.Helper()
	other := &rig{t: r.t, store: memory.NewJournal(), head: &memory.Head{}, clock: r.clock}
	headSeq, headHash, err := r.head.Load()
	if err == nil {
		err = other.head.Save(headSeq, headHash)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	for _, record := range r.records() {
		if record.Seq == seq {
			record.Body = change(bytes.Clone(record.Body))
			if rehash {
				record.Hash = sha256.Sum256(record.Body)
			}
		}
		if err := other.store.Append(context.Background(), record); err != nil {
			r.t.Fatal(err)
		}
	}
	return other
}

// Every byte of every record matters: a flipped bit is an error that names the
// record, also when whoever flipped it has computed the record's hash anew.
func TestFlippedBytesAreFoundOut(t *testing.T) {
	r, _ := paid(t, 3)
	records := r.records()
	for _, record := range records {
		name := fmt.Sprintf("record %d", record.Seq)
		step := max(1, len(record.Body)/200)
		for at := 0; at < len(record.Body); at += step {
			flip := func(body []byte) []byte { body[at] ^= 1 << (at % 8); return body }
			what := fmt.Sprintf("byte %d of record %d flipped", at, record.Seq)
			r.replaced(record.Seq, false, flip).requireDamage(what, name)
			forged := r.replaced(record.Seq, true, flip)
			if w, err := forged.open(); err == nil {
				w.Close(context.Background())
				t.Fatalf("%s and its hash computed anew: the journal was opened", what)
			}
		}
	}
}

// A record that was torn off anywhere is an error that names it.
func TestTornRecordIsFoundOut(t *testing.T) {
	r, _ := paid(t, 3)
	records := r.records()
	last := records[len(records)-1]
	for length := range last.Body {
		torn := r.replaced(last.Seq, length%2 == 0, func(body []byte) []byte { return body[:length] })
		torn.requireDamage(fmt.Sprintf("record %d torn after %d bytes", last.Seq, length), fmt.Sprintf("record %d", last.Seq))
	}
}

// A newer program's record is refused for what it is, not as damage.
func TestNewerEngineIsRefused(t *testing.T) {
	r, _ := paid(t, 3)
	last := uint64(len(r.records()))
	newer := r.replaced(last, true, func(body []byte) []byte { body[20]++; return body })
	_, err := newer.open()
	want := fmt.Sprintf("record %d was written by engine version %d", last, bank.Engine+1)
	if err == nil || errors.Is(err, journal.ErrDamaged) || !strings.Contains(err.Error(), want) {
		t.Fatalf("%v; expected %q", err, want)
	}
}

// A damaged snapshot is passed over with a warning for the one before, and
// without any the whole journal is run again. The state is the same.
func TestDamagedSnapshotsArePassedOver(t *testing.T) {
	r := newRig(t)
	var accounts []uint64
	for round := range uint64(3) {
		w := r.mustOpen()
		if round == 0 {
			accounts = fund(t, w, 2, 1000)
		}
		submit(t, w, transfer(round, accounts[0], accounts[1], 10))
		if err := w.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	seqs, err := r.store.Snapshots(t.Context())
	if err != nil || len(seqs) != 2 {
		t.Fatalf("snapshots %v, %v", seqs, err)
	}
	want := r.verify()
	if !want.Clean() || want.Snapshots != 2 {
		t.Fatalf("%+v", want)
	}
	for damaged := range seqs {
		for at := 0; ; at += 97 { // a prime step meets every kind of field
			copied := r.replaced(0, false, nil)
			copySnapshots(t, copied.store, r.store)
			over := false
			for _, seq := range seqs[:damaged+1] {
				copied.store.Corrupt(seq, true, func(content []byte) []byte {
					if over = at >= len(content); over {
						return content[:len(content)-1]
					}
					content[at] ^= 1 << (at % 8)
					return content
				})
			}
			findings := copied.verify().Findings
			if len(findings) != damaged+1 || !strings.Contains(findings[0], "snapshot at record ") {
				t.Fatalf("byte %d flipped in %d snapshots: Verify finds %q", at, damaged+1, findings)
			}
			if got := recovered(t, copied); got != want.StateHash {
				t.Fatalf("byte %d flipped in %d snapshots: another state comes back", at, damaged+1)
			}
			if len(copied.warns) != damaged+1 || !strings.Contains(copied.warns[0], fmt.Sprintf("record %d", seqs[0])) {
				t.Fatalf("byte %d flipped in %d snapshots: warned %q", at, damaged+1, copied.warns)
			}
			if over {
				break
			}
		}
	}
}

// recovered opens the journal and returns the hash of the state before the
// record that begins the new term, as it is run from the first record.
func recovered(t *testing.T, r *rig) string {
	t.Helper()
	before := uint64(len(r.records()))
	w := r.mustOpen()
	live := fmt.Sprintf("%x", stateHash(t, w))
	if again := r.verify().StateHash; again != live {
		t.Fatalf("the live state is %s, run again it is %s", live, again)
	}
	state, err := journal.StateAt(t.Context(), r.store, before, func(uint64) {})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", state.Hash())
}

func copySnapshots(t *testing.T, to, from *memory.Journal) {
	t.Helper()
	seqs, err := from.Snapshots(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, seq := range slices.Backward(seqs) {
		src, err := from.OpenSnapshot(t.Context(), seq)
		if err == nil {
			err = to.SaveSnapshot(t.Context(), seq, func(dst io.Writer) error { _, err := io.Copy(dst, src); return err })
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Damage before the newest snapshot does not keep the bank from opening, which
// would take long to find out; Verify finds it.
func TestVerifyFindsDamageBeforeASnapshot(t *testing.T) {
	r, _ := paid(t, 5)
	if err := r.mustOpen().Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for seq := uint64(1); seq <= 5; seq++ {
		damaged := r.replaced(seq, false, func(body []byte) []byte { body[len(body)/2] ^= 4; return body })
		copySnapshots(t, damaged.store, r.store)
		report := damaged.verify()
		if report.Clean() || !strings.Contains(report.Findings[0], fmt.Sprintf("record %d", seq)) {
			t.Fatalf("record %d damaged: Verify finds %q", seq, report.Findings)
		}
	}
}

// A snapshot of another journal is not taken for one of this.
func TestSnapshotOfAnotherJournalIsFoundOut(t *testing.T) {
	one, _ := paid(t, 5)
	other, _ := paid(t, 0)
	w := other.mustOpen()
	for i := range 5 {
		submit(t, w, bank.RegisterPerson{ID: [16]byte{byte(i), 1}}.AppendTo(nil))
	}
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	seqs, err := other.store.Snapshots(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for uint64(len(one.records())) < seqs[0] {
		crash(t, one, one.mustOpen())
	}
	copySnapshots(t, one.store, other.store)
	one.requireDamage("a snapshot of another journal", fmt.Sprintf("record %d", seqs[0]), "another journal")
}
