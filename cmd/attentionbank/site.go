package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/attentionbank/attentionbank/strongroom"
)

// Site is where a bank is kept: its files in a directory, and its databases
// there too or in PostgreSQL. It is embedded in every command that opens a bank.
type Site struct {
	Data  string `default:"./data" help:"Directory of the bank's files." type:"path"`
	Store string `env:"ATTENTIONBANK_STORE" help:"PostgreSQL database for journal, events, history and identity, in place of files: postgres://USER@HOST/DATABASE. The directory still keeps the keys and the second heads." placeholder:"URL"`
	Plain bool   `help:"Do not encrypt what a new bank stores."`
	KeySource
}

const noSuchStore = "expected a URL such as postgres://bank@db1,db2/bank?sslmode=verify-full"

// place returns where the database of a store is: "journal", "events",
// "history" or "identity".
func (s Site) place(store string) string {
	if s.Store != "" {
		return s.Store
	}
	return filepath.Join(s.Data, store+".db")
}

// check returns an error if the names of the site make no sense.
func (s Site) check() error {
	if s.Store != "" && !sqldb.IsURL(s.Store) {
		return usage("--store: %s", noSuchStore)
	}
	return nil
}

// exists returns an error if there is no bank.
func (s Site) exists() error {
	if err := s.check(); err != nil || s.Store != "" {
		return err
	}
	if _, err := os.Stat(s.place("journal")); err != nil {
		return withHint(fmt.Errorf("there is no bank in %s", s.Data), "name its directory with --data")
	}
	return nil
}

// hold keeps others from opening the bank until close is called. lost is closed
// if the hold is lost before; it is nil where that cannot be.
func (s Site) hold(ctx context.Context) (lost <-chan struct{}, close func() error, err error) {
	if err := s.check(); err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return nil, nil, fmt.Errorf("making the data directory: %w", err)
	}
	lock, err := lockFolder(s.Data)
	if err != nil {
		return nil, nil, err
	}
	if s.Store == "" {
		return nil, lock.Close, nil
	}
	lease, err := sqldb.Lease(ctx, s.Store)
	if err != nil {
		lock.Close()
		if errors.Is(err, sqldb.ErrTaken) {
			err = withHint(err, "stop it first, or wait until the server has noticed that it is gone")
		}
		return nil, nil, err
	}
	return lease.Done(), func() error { return errors.Join(lease.Close(), lock.Close()) }, nil
}

// openJournal opens the journal and its second head. A new bank gets its first
// store key here.
func (s Site) openJournal(ctx context.Context) (*strongroom.Journal, *journal.HeadFile, error) {
	inner, err := sqldb.OpenJournal(ctx, s.place("journal"))
	if err != nil {
		return nil, nil, err
	}
	store, err := s.lockUp(ctx, inner)
	if err != nil {
		inner.Close()
		return nil, nil, err
	}
	head, err := journal.OpenHeadFile(filepath.Join(s.Data, "head"))
	if err != nil {
		store.Close()
		return nil, nil, err
	}
	return store, head, nil
}

// lockUp puts the keys of the bank in front of its journal.
func (s Site) lockUp(ctx context.Context, inner *sqldb.Journal) (*strongroom.Journal, error) {
	ring, err := strongroom.OpenKeyring(ctx, inner, s.storeKeys)
	if err != nil {
		return nil, err
	}
	isNew := true
	for _, err := range inner.Load(ctx, 1) {
		if err != nil {
			return nil, err
		}
		isNew = false
		break
	}
	if isNew && !ring.Encrypts() && !s.Plain {
		if err := s.rotate(ctx, ring, ""); err != nil {
			return nil, err
		}
	}
	return strongroom.NewJournal(inner, ring), nil
}

// openHistory opens the history, encrypted if the journal is. A file from
// before that, or under another key, is made again from the journal.
func openHistory(ctx context.Context, place string, ring *strongroom.Keyring, warn func(string)) (*sqldb.History, error) {
	if !ring.Encrypts() {
		return sqldb.OpenHistory(ctx, place)
	}
	key, err := ring.Derive("history/1")
	if err != nil {
		return nil, err
	}
	h, err := sqldb.OpenEncryptedHistory(ctx, place, key)
	if errors.Is(err, sqldb.ErrOtherKey) {
		warn("the history was not written under the keys of this bank; it is made again")
		if err = sqldb.DropHistory(place); err == nil {
			h, err = sqldb.OpenEncryptedHistory(ctx, place, key)
		}
	}
	return h, err
}

// openEvents opens the log of events and its second head. The journal is opened
// first.
func (s Site) openEvents(ctx context.Context) (*strongroom.Events, *journal.HeadFile, error) {
	ring, err := s.keyring(ctx)
	if err != nil {
		return nil, nil, err
	}
	inner, err := sqldb.OpenEvents(ctx, s.place("events"))
	if err != nil {
		return nil, nil, err
	}
	store := strongroom.NewEvents(inner, ring)
	head, err := journal.OpenHeadFile(filepath.Join(s.Data, "events.head"))
	if err != nil {
		store.Close()
		return nil, nil, err
	}
	return store, head, nil
}
