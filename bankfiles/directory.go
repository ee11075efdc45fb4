// Package bankfiles hands payments over to the operator's bank as files in a
// directory, from which a bank's client or a person takes them.
package bankfiles

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/attentionbank/attentionbank/payment"
)

// Format is how a file is written.
type Format string

// The formats of files.
const (
	Pain001 Format = "pain.001"
	CSV     Format = "csv"
)

// Directory is where files of payments go, one a batch.
//
// A file comes to be in three steps, each durable before the next: it is
// written whole under .staged, its mark is put under .taken, it is moved to
// where it is seen. A crash before the mark leaves nothing; behind it, the
// move is made up for. Whoever takes files away takes away no mark, so no file
// is there twice.
type Directory struct {
	// Step, if set, is called before each step that changes the disk and behind
	// the last; its error ends Take there. Tests stop and fail by it.
	Step func(step string) error

	path   string
	format Format
	mu     sync.Mutex
}

// ErrOther is returned for a file whose id was used for other payments.
var ErrOther = errors.New("another file of that id was handed over before; was the bank restored from a backup of an earlier time?")

const (
	staged = ".staged"
	taken  = ".taken"
)

// Open returns the directory at a path, making it if it is not there.
func Open(path string, format Format) (*Directory, error) {
	if format != Pain001 && format != CSV {
		return nil, fmt.Errorf("format %q: expected %s or %s", format, Pain001, CSV)
	}
	for _, folder := range []string{path, filepath.Join(path, staged), filepath.Join(path, taken)} {
		if err := os.MkdirAll(folder, 0o750); err != nil {
			return nil, fmt.Errorf("opening the directory for payouts: %w", err)
		}
	}
	return &Directory{path: path, format: format}, nil
}

// Taken reports whether a file was handed over, after it has finished what a
// crash interrupted. To whom payments go is not looked at.
func (d *Directory) Taken(_ context.Context, file *payment.File) (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.finish(file)
}

// Take hands a file over, whole or not at all; one that was handed over before
// changes nothing.
func (d *Directory) Take(_ context.Context, file *payment.File) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if was, err := d.finish(file); was || err != nil {
		return err
	}
	write, name := file.Pain001, file.ID+".xml"
	if d.format == CSV {
		write, name = file.CSV, file.ID+".csv"
	}
	text, err := write()
	if err != nil {
		return err
	}
	if err := d.put("stage", filepath.Join(d.path, staged), name, text); err != nil {
		return err
	}
	if err := d.put("mark", filepath.Join(d.path, taken), file.ID, []byte(mark(file)+" "+name)); err != nil {
		return err
	}
	_, err = d.finish(file)
	return err
}

// mark is by what a file is known again.
func mark(file *payment.File) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%s\n", file.ID, file.CreatedAt, file.Currency)
	for _, p := range file.Payments {
		fmt.Fprintf(h, "%s %d\n", p.ID, p.AmountMinor)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// finish moves a file that is marked to where it is seen, unless that was done,
// and reports whether it is marked.
func (d *Directory) finish(file *payment.File) (marked bool, err error) {
	was, err := os.ReadFile(filepath.Join(d.path, taken, file.ID))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the mark of %s: %w", file.ID, err)
	}
	of, name, _ := strings.Cut(string(was), " ")
	if of != mark(file) || name != file.ID+".xml" && name != file.ID+".csv" {
		return false, fmt.Errorf("%s: %w", file.ID, ErrOther)
	}
	from, to := filepath.Join(d.path, staged, name), filepath.Join(d.path, name)
	if _, err := os.Lstat(from); err == nil {
		if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
			return false, fmt.Errorf("%s is there, and it is not the bank's: move it away", name)
		}
		if err := d.step("move"); err != nil {
			return false, err
		}
		if err := os.Rename(from, to); err != nil {
			return false, fmt.Errorf("moving %s: %w", name, err)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("looking for %s: %w", name, err)
	}
	if err := d.step("moved"); err != nil {
		return false, err
	}
	if err := errors.Join(syncFolder(d.path), syncFolder(filepath.Join(d.path, staged))); err != nil {
		return false, err
	}
	return true, d.step("done")
}

func (d *Directory) step(name string) error {
	if d.Step == nil {
		return nil
	}
	return d.Step(name)
}

// put writes a file whole and durably.
func (d *Directory) put(step, folder, name string, text []byte) (err error) {
	if err := d.step(step); err != nil {
		return err
	}
	path := filepath.Join(folder, name)
	part, err := os.OpenFile(path+".part", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	_, err = part.Write(text)
	if err == nil {
		err = d.step(step + " written")
	}
	if err == nil {
		err = part.Sync()
	}
	if err = errors.Join(err, part.Close()); err == nil {
		err = os.Rename(path+".part", path)
	}
	if err == nil {
		err = syncFolder(folder)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
