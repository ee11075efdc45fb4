package bankfiles_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/attentionbank/attentionbank/bankfiles"
	"github.com/attentionbank/attentionbank/payment"
)

func batch(number, payments int) *payment.File {
	ann := payment.Party{Name: "Ann", IBAN: "NO9386011117947"}
	file := &payment.File{ID: fmt.Sprintf("AB-PAYOUTS-%d", number), CreatedAt: "2026-01-02T03:04:05Z", ExecuteOn: "2026-01-02", Currency: "EUR", Scale: 2,
		Payer: payment.Party{Name: "Bank of Cafes", IBAN: "DE89370400440532013000"}}
	for i := range payments {
		file.Payments = append(file.Payments, payment.Payment{ID: fmt.Sprintf("AB-PAYOUT-%d-%d", number, i), AmountMinor: int64(1 + i), Payee: ann})
	}
	return file
}

func open(t *testing.T, path string, format bankfiles.Format) *bankfiles.Directory {
	t.Helper()
	directory, err := bankfiles.Open(path, format)
	if err != nil {
		t.Fatal(err)
	}
	return directory
}

// seen are the names of what is there to be taken.
func seen(t *testing.T, path string) string {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") {
			names = append(names, entry.Name())
		}
	}
	return strings.Join(names, " ")
}

// Each file is there as it is written elsewhere, in either format.
func TestFilesAreThere(t *testing.T) {
	for format, name := range map[bankfiles.Format]string{bankfiles.Pain001: "AB-PAYOUTS-1.xml", bankfiles.CSV: "AB-PAYOUTS-1.csv"} {
		path, file := t.TempDir(), batch(1, 3)
		directory := open(t, path, format)
		if taken, err := directory.Taken(t.Context(), file); taken || err != nil {
			t.Errorf("before: %v, %v", taken, err)
		}
		if err := directory.Take(t.Context(), file); err != nil {
			t.Fatal(err)
		}
		want, err := file.Pain001()
		if format == bankfiles.CSV {
			want, err = file.CSV()
		}
		got, readErr := os.ReadFile(filepath.Join(path, name))
		if errors.Join(err, readErr) != nil || !bytes.Equal(got, want) || seen(t, path) != name {
			t.Errorf("%s: %v, %v\n%s", seen(t, path), err, readErr, got)
		}
	}
	if _, err := bankfiles.Open(t.TempDir(), "pain.008"); err == nil {
		t.Error("a format that there is not was taken")
	}
}

// A file is there once, though whoever takes it away does so at once, the
// format is changed, and it is handed over again and again.
func TestAFileIsThereOnce(t *testing.T) {
	path := t.TempDir()
	for round := range 4 {
		directory := open(t, path, [...]bankfiles.Format{bankfiles.Pain001, bankfiles.CSV}[round%2])
		if err := directory.Take(t.Context(), batch(1, 2)); err != nil {
			t.Fatal(err)
		}
		if taken, err := directory.Taken(t.Context(), batch(1, 2)); !taken || err != nil {
			t.Errorf("round %d: %v, %v", round, taken, err)
		}
		if names := seen(t, path); (names == "AB-PAYOUTS-1.xml") != (round == 0) || round > 0 && names != "" {
			t.Errorf("round %d: there is %q", round, names)
		}
		os.Remove(filepath.Join(path, "AB-PAYOUTS-1.xml")) // in the first round, it is there
	}
	// Of a bank that was restored from before, the same number says other things.
	for _, do := range []func(*bankfiles.Directory) error{
		func(d *bankfiles.Directory) error { return d.Take(t.Context(), batch(1, 3)) },
		func(d *bankfiles.Directory) error { _, err := d.Taken(t.Context(), batch(1, 3)); return err },
	} {
		if err := do(open(t, path, bankfiles.Pain001)); !errors.Is(err, bankfiles.ErrOther) {
			t.Errorf("%v, expected that the id was used before", err)
		}
	}
	// What is there and not the bank's is left alone.
	foreign := filepath.Join(path, "AB-PAYOUTS-2.xml")
	if err := os.WriteFile(foreign, []byte("not ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path, bankfiles.Pain001).Take(t.Context(), batch(2, 1)); err == nil {
		t.Error("a file of somebody else was replaced")
	}
	if err := os.Remove(foreign); err != nil {
		t.Fatal(err)
	}
	if taken, err := open(t, path, bankfiles.Pain001).Taken(t.Context(), batch(2, 1)); !taken || err != nil || seen(t, path) != "AB-PAYOUTS-2.xml" {
		t.Errorf("with it away: %v, %v, %s", taken, err, seen(t, path))
	}
}

var errStop = errors.New("stopped here")

// steps counts the steps of handing a file over.
func steps(t *testing.T) (count int) {
	directory := open(t, t.TempDir(), bankfiles.Pain001)
	directory.Step = func(string) error { count++; return nil }
	if err := directory.Take(t.Context(), batch(1, 1)); err != nil {
		t.Fatal(err)
	}
	return count
}

// Stopped by an error at any step, such as a full disk, and tried again, a file
// is there once and whole; somebody takes it away as soon as it is there.
func TestStoppedAtEveryStep(t *testing.T) {
	all := steps(t)
	if all < 6 {
		t.Fatalf("there are only %d steps", all)
	}
	for at := range all {
		path, reached, found := t.TempDir(), 0, 0
		look := func() {
			for name := range strings.FieldsSeq(seen(t, path)) {
				want, _ := batch(1, 5).Pain001()
				if got, err := os.ReadFile(filepath.Join(path, name)); err != nil || !bytes.Equal(got, want) {
					t.Errorf("step %d: %s is not whole: %v", at, name, err)
				}
				os.Remove(filepath.Join(path, name))
				found++
			}
		}
		directory := open(t, path, bankfiles.Pain001)
		directory.Step = func(string) error {
			look()
			if reached++; reached == at+1 {
				return errStop
			}
			return nil
		}
		for range 3 {
			if err := directory.Take(t.Context(), batch(1, 5)); err != nil && !errors.Is(err, errStop) {
				t.Fatal(err)
			}
			look()
			if _, err := directory.Taken(t.Context(), batch(1, 5)); err != nil {
				t.Fatal(err)
			}
			look()
		}
		if found != 1 {
			t.Errorf("stopped at step %d, the file was there %d times", at, found)
		}
	}
}

// The process is killed at every step; whatever is there is whole, and after
// the next start the file is there once.
func TestKilledAtEveryStep(t *testing.T) {
	if path := os.Getenv("BANKFILES_DIRECTORY"); path != "" {
		killedHandOver(path)
		return
	}
	for at := range steps(t) {
		path := t.TempDir()
		killed := exec.Command(os.Args[0], "-test.run=TestKilledAtEveryStep")
		killed.Env = append(os.Environ(), "BANKFILES_DIRECTORY="+path, fmt.Sprintf("BANKFILES_STEP=%d", at))
		output, err := killed.CombinedOutput()
		if status, is := killed.ProcessState.Sys().(syscall.WaitStatus); !is || status.Signal() != syscall.SIGKILL {
			t.Fatalf("step %d: the process ended with %v\n%s", at, err, output)
		}
		found := strings.Count(seen(t, path), "AB-PAYOUTS-1.xml")
		os.Remove(filepath.Join(path, "AB-PAYOUTS-1.xml")) // whoever takes files away was quick
		directory := open(t, path, bankfiles.Pain001)
		if taken, err := directory.Taken(t.Context(), batch(1, 5)); err != nil || found > 0 && !taken {
			t.Errorf("step %d: %v, %v", at, taken, err)
		}
		if err := directory.Take(t.Context(), batch(1, 5)); err != nil {
			t.Fatal(err)
		}
		if found += strings.Count(seen(t, path), "AB-PAYOUTS-1.xml"); found != 1 {
			t.Errorf("killed at step %d, the file was there %d times", at, found)
		}
	}
}

// killedHandOver hands a file over in a process that kills itself on the way.
func killedHandOver(path string) {
	var at, reached int
	fmt.Sscan(os.Getenv("BANKFILES_STEP"), &at)
	directory, err := bankfiles.Open(path, bankfiles.Pain001)
	if err != nil {
		panic(err)
	}
	directory.Step = func(string) error {
		if reached++; reached == at+1 {
			self, _ := os.FindProcess(os.Getpid())
			self.Kill()
			select {}
		}
		return nil
	}
	directory.Take(context.Background(), batch(1, 5)) // it does not come back
}

// On a disk that is full, nothing is there; with room again, the file is.
func TestFullDisk(t *testing.T) {
	path := os.Getenv("BANKFILES_FULL")
	if path == "" {
		path = t.TempDir()
		full := exec.Command("sh", "-c", `ulimit -f 8; exec "$0" -test.run=TestFullDisk`, os.Args[0]) // files of 4 KiB
		full.Env = append(os.Environ(), "BANKFILES_FULL="+path)
		if output, err := full.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
		if there := seen(t, path); there != "" {
			t.Errorf("on a full disk there is %s", there)
		}
		if err := open(t, path, bankfiles.Pain001).Take(t.Context(), batch(1, 100)); err != nil || seen(t, path) != "AB-PAYOUTS-1.xml" {
			t.Errorf("with room again: %v, %s", err, seen(t, path))
		}
		return
	}
	if err := open(t, path, bankfiles.Pain001).Take(t.Context(), batch(1, 100)); !errors.Is(err, syscall.EFBIG) {
		t.Errorf("%v, expected that the file cannot be written", err)
	}
}
