package main

import (
	"bytes"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
)

// What nobody should read out of a data directory: the names of a world, an
// asset and a person, what a payment was for, and how much it was.
var secretTexts = []string{"arcade-of-secrets", "GOLDENBAR", "ann.example@mail.test", "rent-of-ann-example"}

const secretAmount = 0x1a2b3c4d5e6f

// busyBank makes a bank in which all of that has happened, with a snapshot.
func busyBank(t *testing.T, folder string, flags ...string) {
	t.Helper()
	rows := "user,day,hours\n" + secretTexts[2] + ",2026-01-01,1\n"
	args := append([]string{"import", "-", "--world", secretTexts[0], "--data", folder, "--map", "person=user,time=day,hours=hours"}, flags...)
	if status, _, stderr := command(t, rows, args...); status != 0 {
		t.Fatal(stderr)
	}
	n, err := openNode(t.Context(), Site{Data: folder}, systemMS, func(message string) { t.Log(message) })
	if err != nil {
		t.Fatal(err)
	}
	submit := func(command []byte) []byte {
		t.Helper()
		answers, err := n.journal.Submit(t.Context(), command)
		if err != nil || answers[0].Refusal != bank.Accepted {
			t.Fatalf("%v, %v", answers, err)
		}
		return answers[0].Bytes
	}
	asset, _ := bank.First[bank.AssetRegistered](submit(bank.RegisterAsset{Code: secretTexts[1], Scale: 2}.AppendTo(nil)))
	account, _ := bank.First[bank.AccountOpened](submit(bank.OpenAccount{OwnerKind: ledger.OwnerWorld, Owner: 1, Asset: asset.Asset}.AppendTo(nil)))
	submit(bank.Transfer{Reference: secretTexts[3], Legs: []ledger.Leg{{Debit: asset.Issuer, Credit: account.Account, Amount: secretAmount}}}.AppendTo(nil))
	if err := n.stopFollowing(); err != nil {
		t.Fatal(err)
	}
	if err := n.follower.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := n.close(); err != nil {
		t.Fatal(err)
	}
}

// shown returns which of the secrets can be read in which of the files, the
// amount as text and in either order of its bytes.
func shown(t *testing.T, folder string) (found map[string][]string) {
	t.Helper()
	found = map[string][]string{}
	wanted := map[string][][]byte{"amount": {
		binary.LittleEndian.AppendUint64(nil, secretAmount)[:6], binary.BigEndian.AppendUint64(nil, secretAmount)[2:], []byte("28772997619311"),
	}}
	for _, text := range secretTexts {
		wanted[text] = [][]byte{[]byte(text)}
	}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for name, forms := range wanted {
			for _, form := range forms {
				if bytes.Contains(content, form) {
					found[name] = append(found[name], filepath.Base(path))
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A data directory or a backup that is stolen without the master key shows
// nothing; one that was not encrypted shows what the search can find.
func TestAStolenDataDirectoryShowsNothing(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain")
	busyBank(t, plain, "--plain")
	control := shown(t, plain)
	for _, secret := range []string{"amount", secretTexts[0], secretTexts[1], secretTexts[3]} { // a person's name never shows
		if len(control[secret]) == 0 {
			t.Errorf("%q shows nowhere in a bank that is not encrypted, so the search is blind", secret)
		}
	}
	folder, copied := filepath.Join(t.TempDir(), "bank"), filepath.Join(t.TempDir(), "copy")
	busyBank(t, folder)
	if status, _, stderr := command(t, "", "backup", copied, "--data", folder); status != 0 {
		t.Fatal(stderr)
	}
	snapshots, err := filepath.Glob(filepath.Join(folder, "journal.db.snapshots", "*"))
	if err != nil || len(snapshots) == 0 {
		t.Fatalf("%d snapshots, %v", len(snapshots), err)
	}
	if err := os.Rename(filepath.Join(folder, "master.key"), filepath.Join(t.TempDir(), "master.key")); err != nil {
		t.Fatal(err)
	}
	for _, stolen := range []string{folder, copied} {
		for secret, files := range shown(t, stolen) {
			t.Errorf("%q shows in %v", secret, files)
		}
		if status, stdout, stderr := command(t, "", "fsck", "--data", stolen); status != 1 || !bytes.Contains([]byte(stderr), []byte("master.key is missing")) {
			t.Errorf("without the key fsck ended with %d: %s%s", status, stdout, stderr)
		}
	}
}

// The history of a bank that begins to encrypt is made again under its key.
func TestAHistoryIsEncryptedFromTheFirstKeyOn(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "bank")
	busyBank(t, folder, "--plain")
	if status, _, stderr := command(t, "", "keys", "rotate", "--data", folder); status != 0 {
		t.Fatal(stderr)
	}
	warned := 0
	n, err := openNode(t.Context(), Site{Data: folder}, systemMS, func(message string) { warned++; t.Log(message) })
	if err != nil {
		t.Fatal(err)
	}
	err = n.stopFollowing()
	if err == nil {
		err = n.follower.CatchUp(t.Context())
	}
	if closeErr := n.close(); err != nil || closeErr != nil {
		t.Fatal(err, closeErr)
	}
	if warned != 1 {
		t.Errorf("%d warnings, expected the one about the history", warned)
	}
	for secret, files := range shown(t, folder) {
		for _, file := range files {
			if file == "history.db" || file == "history.db-wal" {
				t.Errorf("%q shows in %s", secret, file)
			}
		}
	}
}
