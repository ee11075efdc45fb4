package sqldb

import (
	"bytes"
	"context"
	"crypto/aes"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The vectors 10 and 11 of IEEE 1619-2007 are AES-256 in XTS mode over one unit of
// 512 bytes; ours differ from them in the length of a unit only, so the first 512
// bytes of a unit are theirs.
func TestXTSIsTheStandards(t *testing.T) {
	key1 := []byte("\x27\x18\x28\x18\x28\x45\x90\x45\x23\x53\x60\x28\x74\x71\x35\x26\x62\x49\x77\x57\x24\x70\x93\x69\x99\x59\x57\x49\x66\x96\x76\x27")
	key2 := []byte("\x31\x41\x59\x26\x53\x58\x97\x93\x23\x84\x62\x64\x33\x83\x27\x95\x02\x88\x41\x97\x16\x93\x99\x37\x51\x05\x82\x09\x74\x94\x45\x92")
	data, err := aes.NewCipher(key1)
	if err != nil {
		t.Fatal(err)
	}
	tweak, err := aes.NewCipher(key2)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 512)
	for i := range b {
		b[i] = byte(i)
	}
	xts{data, tweak}.encrypt(b, 0xff*xtsUnit)
	first := "1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b"
	if got := fmt.Sprintf("%x", b[:32]); got != first {
		t.Errorf("unit ff begins with %s, the standard says %s", got, first)
	}
}

// A file that is written and read through the cipher in any pieces is what it
// would be without.
func TestPiecesOfXTS(t *testing.T) {
	x, err := newXTS([32]byte{1}, "main")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		plain := make([]byte, 3*xtsUnit)
		for i := range plain {
			plain[i] = byte(i * 7)
		}
		whole := bytes.Clone(plain)
		x.encrypt(whole, 0)
		from := rapid.IntRange(0, len(plain)/xtsBlock-1).Draw(rt, "from") * xtsBlock
		until := from + rapid.IntRange(1, (len(plain)-from)/xtsBlock).Draw(rt, "blocks")*xtsBlock
		part := bytes.Clone(plain[from:until])
		x.encrypt(part, int64(from))
		if !bytes.Equal(part, whole[from:until]) {
			rt.Fatalf("blocks %d to %d are other ones by themselves", from, until)
		}
		x.decrypt(part, int64(from))
		if !bytes.Equal(part, plain[from:until]) {
			rt.Fatal("decrypted, they are other ones")
		}
	})
}

// A database under a key does what one in clear does, over a log that grows,
// is copied back and is found again after a crash; and shows nothing.
func TestAnEncryptedFileIsADatabase(t *testing.T) {
	name, err := encryptedVFS([32]byte{9})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	open := func(file, vfs string) *sql.DB {
		t.Helper()
		db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, file)+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=wal_autocheckpoint(50)"+vfs)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	random := rand.New(rand.NewPCG(1, 2))
	script := func(dbs ...*sql.DB) {
		for range 150 {
			statement := fmt.Sprintf("INSERT OR REPLACE INTO t (k, v) VALUES (%d, printf('the balance of Ann is %%d', %d) || hex(zeroblob(%d)))", random.IntN(500), random.IntN(1000), random.IntN(3000))
			if random.IntN(4) == 0 {
				statement = fmt.Sprintf("DELETE FROM t WHERE k > %d AND k < %d", random.IntN(400), random.IntN(500))
			}
			for _, db := range dbs {
				if _, err := db.Exec(statement); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	sum := func(db *sql.DB) (s string) {
		t.Helper()
		var check string
		if err := db.QueryRow("PRAGMA integrity_check").Scan(&check); err != nil || check != "ok" {
			t.Fatalf("%s, %v", check, err)
		}
		if err := db.QueryRow("SELECT count(*) || ' ' || group_concat(k || v) FROM (SELECT k, v FROM t ORDER BY k)").Scan(&s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	clear, hidden := open("clear.db", ""), open("hidden.db", "&vfs="+name)
	for _, db := range []*sql.DB{clear, hidden} {
		if _, err := db.Exec("CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT)"); err != nil {
			t.Fatal(err)
		}
	}
	for round := range 4 {
		script(clear, hidden)
		if sum(clear) != sum(hidden) {
			t.Fatalf("after round %d they differ", round)
		}
		// A crash: the files as they are, opened elsewhere.
		crashed := fmt.Sprintf("crashed%d.db", round)
		for _, suffix := range []string{"", "-wal"} {
			content, err := os.ReadFile(filepath.Join(folder, "hidden.db"+suffix))
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(content, []byte("Ann")) || bytes.Contains(content, []byte("SQLite format")) {
				t.Errorf("hidden.db%s shows what is in it", suffix)
			}
			if err := os.WriteFile(filepath.Join(folder, crashed+suffix), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if sum(open(crashed, "&vfs="+name)) != sum(hidden) {
			t.Fatalf("after a crash in round %d something is lost", round)
		}
	}
	if !strings.Contains(sum(hidden), "Ann") {
		t.Fatal("nothing was in it")
	}
}

func TestAHistoryUnderAnotherKey(t *testing.T) {
	place := filepath.Join(t.TempDir(), "history.db")
	open := func(key byte) error {
		h, err := OpenEncryptedHistory(context.Background(), place, [32]byte{key})
		if err == nil {
			err = h.Close()
		}
		return err
	}
	if err := open(1); err != nil {
		t.Fatal(err)
	}
	if err := open(2); !errors.Is(err, ErrOtherKey) {
		t.Errorf("another key was answered %v", err)
	}
	if _, err := OpenHistory(context.Background(), place); err == nil {
		t.Error("an encrypted file was opened as one in clear")
	}
	if err := open(1); err != nil {
		t.Errorf("the right key was answered %v", err)
	}
	if err := errors.Join(DropHistory(place), DropHistory(place), open(2)); err != nil {
		t.Errorf("once it was dropped: %v", err)
	}
}
