package api

import (
	"context"
	"sync"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
)

// maxRemembered bounds each table of a server.
const maxRemembered = 1_000_000

// remembered is a table of what never changes once it is there. The state is
// read between two records, so a request that need not read it does not wait
// for the disk.
type remembered[K comparable, V any] struct {
	mu    sync.RWMutex
	known map[K]V
}

func (m *remembered[K, V]) get(key K) (value V, found bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	value, found = m.known[key]
	return value, found
}

func (m *remembered[K, V]) put(key K, value V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= maxRemembered {
		m.known = map[K]V{}
	}
	m.known[key] = value
}

// of returns what is remembered under a key, or reads and remembers it.
func (m *remembered[K, V]) of(ctx context.Context, b Bank, key K, read func(*bank.State) (V, bool)) (value V, found bool, err error) {
	if value, found = m.get(key); found {
		return value, true, nil
	}
	if err := b.Read(ctx, func(state *bank.State) { value, found = read(state) }); err != nil || !found {
		return value, false, err
	}
	m.put(key, value)
	return value, true, nil
}

// accountFacts are what never changes of an account.
type accountFacts struct {
	ledger.Key
	asset string
	scale int
}

func (s *server) accountFacts(ctx context.Context, number uint64) (accountFacts, bool, error) {
	return s.accounts.of(ctx, s.Bank, number, func(state *bank.State) (facts accountFacts, found bool) {
		account := state.Books().Account(number)
		if account == nil {
			return facts, false
		}
		asset := state.Books().Asset(account.Asset)
		return accountFacts{account.Key, asset.Code, int(asset.Scale)}, true
	})
}

// personNumber returns the bank's number of a person, if the bank has one.
func (s *server) personNumber(ctx context.Context, id [16]byte) (uint64, bool, error) {
	return s.persons.of(ctx, s.Bank, id, func(state *bank.State) (uint64, bool) { return state.PersonByID(id) })
}

func (s *server) worldNumber(ctx context.Context, code string) (uint32, error) {
	number, found, err := s.worlds.of(ctx, s.Bank, code, func(state *bank.State) (uint32, bool) { return state.WorldByCode(code) })
	if err == nil && !found {
		err = notFound("world")
	}
	return number, err
}

// worldCode returns the code of a world; it is empty for 0.
func (s *server) worldCode(ctx context.Context, number uint32) (string, error) {
	if number == 0 {
		return "", nil
	}
	code, _, err := s.codes.of(ctx, s.Bank, number, func(state *bank.State) (string, bool) {
		if w := state.World(number); w != nil {
			return w.Code, true
		}
		return "", false
	})
	return code, err
}
