package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/attentionbank/attentionbank/strongroom"
)

type backupCommand struct {
	To string `arg:"" help:"Directory for the copy; it must not exist or be empty." type:"path"`
	Site
	MasterKey bool `help:"Copy the master key too. Then the copy opens everything, and erasure does not reach it."`
}

// Help teaches by example.
func (c *backupCommand) Help() string {
	return `Copies the bank's files while it serves, and checks the copy: the whole journal is run again. The
history is not copied; it is made again from the journal. What is encrypted is copied as it is, with
the wrapped store keys. The master key is not copied: keep it elsewhere, so that a copy that is taken
opens nothing, and a person who is erased is erased in the copies too.

Examples:
  attentionbank backup /backups/2026-01-31
  attentionbank restore /backups/2026-01-31 --data ./data2`
}

// backedUp are the databases of a bank in the order in which they are copied:
// what was told is copied before what happened, so the copy tells no less; who
// reports after what was reported, so every event of a copy has its subject.
var backedUp = []string{"outbox", "journal", "events", "identity"}

// Run implements the command.
func (c *backupCommand) Run(env *environment) error {
	if err := c.exists(); err != nil {
		return err
	}
	if err := emptyFolder(c.To); err != nil {
		return err
	}
	copied := Site{Data: c.To, KeySource: KeySource{KeyFile: c.masterKeyPath(), KMS: c.KMS}}
	for _, store := range backedUp {
		err := sqldb.Copy(env.context, store, c.place(store), copied.place(store))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if c.MasterKey {
		if err := copyFile(c.masterKeyPath(), filepath.Join(c.To, "master.key")); err != nil {
			return fmt.Errorf("copying the master key: %w", err)
		}
	}
	if err := acceptHeads(env, copied); err != nil {
		return err
	}
	return (&fsckCommand{Site: copied}).Run(env)
}

type restoreCommand struct {
	From  string `arg:"" help:"Directory of a backup." type:"existingdir"`
	Data  string `required:"" help:"Directory for the bank's files; it must not exist or be empty." type:"path"`
	Store string `env:"ATTENTIONBANK_STORE" help:"PostgreSQL database to restore into, in place of files; no bank may be in it yet." placeholder:"URL"`
	KeySource
}

// Help teaches by example.
func (c *restoreCommand) Help() string {
	return `Copies a backup into a new data directory and checks it, for which it needs a key: the file of the
master key (--key-file), ATTENTIONBANK_MASTER_KEY, or ATTENTIONBANK_STORE_KEY, which opens no personal
data. To serve the bank, put the master key beside it, or name its file again.

What was acknowledged after the backup is not in it: tell your clients, whose retries count once.

Examples:
  attentionbank restore /backups/2026-01-31 --data ./data2 --key-file /safe/master.key

This is also the way from files to PostgreSQL: back up, then restore with --store.
  attentionbank restore /backups/2026-01-31 --data ./data2 --store postgres://bank@db1/bank`
}

// Run implements the command.
func (c *restoreCommand) Run(env *environment) error {
	if _, err := os.Stat(filepath.Join(c.From, "journal.db")); err != nil {
		return fmt.Errorf("there is no backup in %s", c.From)
	}
	// The master key is in the backup or where the command line says.
	from, to := Site{Data: c.From, KeySource: c.KeySource}, Site{Data: c.Data, Store: c.Store, KeySource: c.KeySource}
	if err := to.check(); err != nil {
		return err
	}
	if _, err := from.keyring(env.context); err != nil { // before anything is copied
		return err
	}
	if err := emptyFolder(c.Data); err != nil {
		return err
	}
	for _, name := range []string{"master.key", "head", "events.head"} {
		err := copyFile(filepath.Join(c.From, name), filepath.Join(c.Data, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("restoring %s: %w", name, err)
		}
	}
	for _, store := range backedUp {
		err := sqldb.Copy(env.context, store, from.place(store), to.place(store))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return (&fsckCommand{Site: to}).Run(env)
}

// emptyFolder makes a folder that nothing is in yet.
func emptyFolder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return usage("%s is not empty; name a directory that is not there yet", path)
	}
	return nil
}

// acceptHeads makes the second heads of a fresh copy name its last records. The
// copy of the journal is one moment of it, and nothing can be missing behind.
func acceptHeads(env *environment, site Site) error {
	store, head, err := site.openJournal(env.context)
	if err != nil {
		return err
	}
	_, err = journal.AcceptHead(env.context, store, head)
	if err = errors.Join(err, head.Close(), store.Close()); err != nil {
		return err
	}
	return (&fsckCommand{Site: site}).withEvents(env, func(events *strongroom.Events, head *journal.HeadFile) error {
		_, err := collect.AcceptHead(env.context, events, head)
		return err
	})
}

// copyFile copies a file durably, for its owner only.
func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	if err == nil {
		err = target.Sync()
	}
	if closeErr := target.Close(); err == nil {
		err = closeErr
	}
	return err
}
