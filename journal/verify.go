package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/attentionbank/attentionbank/bank"
)

// Report is what Verify found.
type Report struct {
	Records   uint64   `json:"records"`
	Commands  uint64   `json:"commands"`
	Snapshots int      `json:"snapshots"`
	StateHash string   `json:"state_hash"`
	Findings  []string `json:"findings"`
}

// Clean reports whether nothing was found.
func (r Report) Clean() bool { return len(r.Findings) == 0 }

// checkEvery is the number of records between two checks of the whole state;
// the last record is always followed by one.
const checkEvery = 10_000

// Verify runs the whole journal again from the first record: it checks the
// chain of hashes, compares every answer with the one that was given, checks
// the sums of the books, compares each snapshot with the state at its record,
// and the second head with the record that it names. progress is told each
// record. The error is about not being able to look; what was found is in the
// report.
func Verify(ctx context.Context, store Store, head Head, progress func(seq uint64)) (Report, error) {
	report := Report{Findings: []string{}}
	find := func(format string, args ...any) {
		report.Findings = append(report.Findings, fmt.Sprintf(format, args...))
	}
	headSeq, headHash, err := head.Load()
	if err != nil {
		find("second head: %v", err)
	}
	snapshots, err := store.Snapshots(ctx)
	if err != nil {
		return report, fmt.Errorf("listing snapshots: %w", err)
	}
	at := position{state: bank.New()}
	for record, err := range store.Load(ctx, 1) {
		if err == nil {
			err = at.apply(record)
		}
		if err != nil {
			find("%v", err)
			return report, nil // nothing behind it can be judged
		}
		progress(record.Seq)
		report.Records++
		report.Commands += uint64(record.Header().Commands)
		if record.Seq == headSeq && record.Hash != headHash {
			find("second head: it knows record %d with another hash", headSeq)
		}
		if slices.Contains(snapshots, record.Seq) {
			report.Snapshots++
			if err := compareSnapshot(ctx, store, at); err != nil {
				find("snapshot at record %d: %v", record.Seq, err)
			}
		}
		if report.Records%checkEvery == 0 {
			if err := at.state.Check(); err != nil {
				find("state after record %d: %v", record.Seq, err)
			}
		}
		if err := ctx.Err(); err != nil {
			return report, err
		}
	}
	if err := at.state.Check(); err != nil {
		find("state after record %d: %v", at.seq, err)
	}
	for _, seq := range snapshots {
		if seq > at.seq {
			find("snapshot at record %d: the journal ends at record %d", seq, at.seq)
		}
	}
	switch {
	case headSeq > at.seq:
		find("second head: record %d was acknowledged, and the journal ends at record %d: its tail was lost", headSeq, at.seq)
	case headSeq == 0 && at.seq > 1:
		find("second head: it is missing")
	case at.seq > headSeq+1:
		find("second head: it stands at record %d of %d, so it was put back", headSeq, at.seq)
	}
	hash := at.state.Hash()
	report.StateHash = fmt.Sprintf("%x", hash)
	return report, nil
}

// compareSnapshot compares a snapshot with the record and the state that it
// should be of.
func compareSnapshot(ctx context.Context, store Store, at position) error {
	seen, err := checkSnapshot(ctx, store, at.seq)
	if err != nil {
		return err
	}
	if seen.recordHash != at.hash {
		return errors.New("it was taken of another journal")
	}
	if seen.stateHash != at.state.Hash() {
		return errors.New("it is not the state at its record")
	}
	return nil
}

// AcceptHead makes the second head name the journal's last record and drops
// the snapshots that are not of this journal. It is an operator's decision
// that nothing behind that record matters.
func AcceptHead(ctx context.Context, store Store, head Head) (seq uint64, err error) {
	at := position{state: bank.New()}
	hashes := map[uint64][32]byte{} // of the records with a snapshot
	snapshots, err := store.Snapshots(ctx)
	if err != nil {
		return 0, fmt.Errorf("listing snapshots: %w", err)
	}
	for record, err := range store.Load(ctx, 1) {
		if err == nil {
			err = at.apply(record)
		}
		if err != nil {
			return 0, fmt.Errorf("accepting the journal: %w", err)
		}
		if slices.Contains(snapshots, record.Seq) {
			hashes[record.Seq] = record.Hash
		}
	}
	if at.seq == 0 {
		return 0, errors.New("accepting the journal: it has no record")
	}
	for _, snapshot := range snapshots {
		if seen, err := checkSnapshot(ctx, store, snapshot); err == nil && seen.recordHash == hashes[snapshot] {
			continue
		}
		if err := store.DropSnapshot(ctx, snapshot); err != nil {
			return 0, fmt.Errorf("dropping the snapshot at record %d: %w", snapshot, err)
		}
	}
	return at.seq, head.Save(at.seq, at.hash)
}

// StateAt returns the state after a record, run from the first one.
func StateAt(ctx context.Context, store Store, seq uint64, progress func(seq uint64)) (*bank.State, error) {
	at := position{state: bank.New()}
	for record, err := range store.Load(ctx, 1) {
		if err == nil {
			err = at.apply(record)
		}
		if err != nil {
			return nil, err
		}
		progress(record.Seq)
		if record.Seq == seq {
			break
		}
	}
	if at.seq < seq {
		return nil, fmt.Errorf("the journal ends at record %d", at.seq)
	}
	return at.state, nil
}
