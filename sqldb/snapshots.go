package sqldb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// snapshotFiles keeps snapshots as files of a folder.
type snapshotFiles struct{ folder string }

func openSnapshotFiles(folder string) (snapshotFiles, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return snapshotFiles{}, fmt.Errorf("opening the snapshots: %w", err)
	}
	return snapshotFiles{folder}, nil
}

// Close has nothing to close.
func (snapshotFiles) Close() error { return nil }

const snapshotSuffix = ".state"

func (s snapshotFiles) snapshotPath(seq uint64) string {
	return filepath.Join(s.folder, fmt.Sprintf("%020d%s", seq, snapshotSuffix))
}

// SaveSnapshot implements journal.Store.
func (s snapshotFiles) SaveSnapshot(ctx context.Context, seq uint64, write func(io.Writer) error) error {
	s.dropUnfinished()
	file, err := os.CreateTemp(s.folder, "unfinished-*")
	if err != nil {
		return fmt.Errorf("saving the snapshot at record %d: %w", seq, err)
	}
	defer os.Remove(file.Name()) // does nothing once it has its name
	err = write(file)
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(file.Name(), s.snapshotPath(seq))
	}
	if err == nil {
		err = syncFolder(s.folder)
	}
	if err != nil {
		return fmt.Errorf("saving the snapshot at record %d: %w", seq, err)
	}
	return s.dropOldSnapshots(ctx)
}

// dropUnfinished removes what a crash has left of snapshots; one is written at
// a time. A leftover costs space only, so that failing to remove it is no fault.
func (s snapshotFiles) dropUnfinished() {
	leftovers, _ := filepath.Glob(filepath.Join(s.folder, "unfinished-*"))
	for _, path := range leftovers {
		os.Remove(path)
	}
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

func (s snapshotFiles) dropOldSnapshots(ctx context.Context) error {
	seqs, err := s.Snapshots(ctx)
	if err != nil {
		return err
	}
	for _, seq := range seqs[min(2, len(seqs)):] {
		if err := s.DropSnapshot(ctx, seq); err != nil {
			return err
		}
	}
	return nil
}

// DropSnapshot implements journal.Store.
func (s snapshotFiles) DropSnapshot(_ context.Context, seq uint64) error {
	if err := os.Remove(s.snapshotPath(seq)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("dropping the snapshot at record %d: %w", seq, err)
	}
	return nil
}

// Snapshots implements journal.Store.
func (s snapshotFiles) Snapshots(context.Context) ([]uint64, error) {
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		return nil, fmt.Errorf("listing snapshots: %w", err)
	}
	var seqs []uint64
	for _, entry := range entries {
		if name, isSnapshot := strings.CutSuffix(entry.Name(), snapshotSuffix); isSnapshot {
			if seq, err := strconv.ParseUint(name, 10, 64); err == nil {
				seqs = append(seqs, seq)
			}
		}
	}
	slices.Sort(seqs)
	slices.Reverse(seqs)
	return seqs, nil
}

// OpenSnapshot implements journal.Store.
func (s snapshotFiles) OpenSnapshot(_ context.Context, seq uint64) (io.ReadCloser, error) {
	return os.Open(s.snapshotPath(seq))
}
