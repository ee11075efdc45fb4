package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/attentionbank/attentionbank/api"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/score"
	"github.com/attentionbank/attentionbank/sqldb"
)

// benchmarks in the order in which they run.
var benchmarks = []benchmark{
	single("score", "fold of heartbeats and interactions into the days of 1,000 people, one goroutine", "events", benchScore),
	single("transfers_batched", "in process, batches of 8,000 single-leg transfers with idempotency keys, 100,000 accounts, facts kept, durable", "transfers", batched(100_000, false)),
	single("transfers_hot", "the same with all credits to one account", "transfers", batched(100_000, true)),
	single("transfers_1k", "the same between 1,000 accounts", "transfers", batched(1000, false)),
	single("replay", "recovery of a journal of such transfers from its first record: chain verified, every answer compared", "commands", benchReplay),
	single("history", "the history of such transfers made from nothing, while the bank's own history in SQLite follows too; rows of transactions, postings and accounts", "rows", benchHistory),
	single("transfers_http_64", "one transfer a request over HTTP, 64 clients, idempotency keys, durable", "transfers", httpTransfers(64, 1)),
	single("transfers_http_1", "one transfer a request over HTTP, one client, one at a time, durable", "transfers", httpTransfers(1, 1)),
	single("transfers_http_100", "100 atomic legs a request over HTTP, 8 clients, random accounts, durable", "transfers", httpTransfers(8, 100)),
	single("orders_256", "one order, amendment or cancellation a call in process, 256 clients of two people each, idempotency keys, facts kept, durable; 60 % passive limits, 30 % cancellations of an own order, 10 % marketable", "orders", benchOrders),
	single("orders_followed", "the same, until the history has them all: what it follows for ever", "orders", benchOrdersFollowed),
	single("orders_http_64", "the same over HTTP, one a request, 64 clients", "orders", benchOrdersHTTP),
	single("events_http", "Segment batches of 100 events of about 350 bytes over HTTP, 8 clients, server key, sealed, durable", "events", benchEvents),
	single("message_ids", "a week of hours of 20,000 events each, then one more at full speed: in process, sealed, durable; bytes are of a remembered message id, beside the log of events", "events", benchMessageIDs),
	{largeLines, benchLarge},
}

func benchScore(_ context.Context, _ Site, length time.Duration) (measured, error) {
	policy := score.DefaultPolicy()
	days := map[uint64]*score.Day{}
	for person := range uint64(1000) {
		days[person] = &score.Day{}
	}
	kinds := [...]event.Event{{Call: event.Track, Type: "heartbeat"}, {Call: event.Track, Type: "jump"}}
	began, done := time.Now(), 0
	for time.Since(began) < length {
		for range 10_000 {
			e := &kinds[0]
			if done%10 == 9 {
				e = &kinds[1]
			}
			o := policy.Observe(e, int64(done/1000*1000)%86_000_000)
			day := days[uint64(done%1000)]
			day.Present(1, o.FromMS, o.UntilMS)
			if o.Count > 0 {
				day.Act(1, o.FromMS, o.Count, o.WeightMicro)
			}
			done++
		}
	}
	return measured{done: done, took: time.Since(began)}, nil
}

func systemMS() int64 { return time.Now().UnixMilli() }

func openBench(ctx context.Context, site Site) (*node, error) {
	return openNode(ctx, site, systemMS, func(string) {})
}

// fund opens accounts of a world in an asset and puts plenty into each.
func (n *node) fund(ctx context.Context, count int) (accounts []uint64, err error) {
	submit := func(commands ...[]byte) (facts [][]byte, err error) {
		for from := 0; from < len(commands); from += 8000 {
			answers, err := n.journal.Submit(ctx, commands[from:min(from+8000, len(commands))]...)
			if err != nil {
				return nil, err
			}
			for _, answer := range answers {
				if answer.Refusal != bank.Accepted {
					return nil, fmt.Errorf("refused: %s", answer.Refusal)
				}
				facts = append(facts, answer.Bytes)
			}
		}
		return facts, nil
	}
	facts, err := submit(bank.RegisterWorld{Code: "bench"}.AppendTo(nil), bank.RegisterAsset{Code: "GOLD", Scale: 2}.AppendTo(nil))
	if err != nil {
		return nil, err
	}
	asset, _ := bank.First[bank.AssetRegistered](facts[1])
	people := make([][]byte, count)
	for i := range people {
		people[i] = bank.RegisterPerson{ID: [16]byte(binary.BigEndian.AppendUint64(make([]byte, 8), uint64(i+1)))}.AppendTo(nil)
	}
	if _, err := submit(people...); err != nil {
		return nil, err
	}
	opens := make([][]byte, count)
	for i := range opens {
		opens[i] = bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: uint64(i + 1), Asset: asset.Asset}.AppendTo(nil)
	}
	if facts, err = submit(opens...); err != nil {
		return nil, err
	}
	grants := make([][]byte, count)
	for i := range facts {
		opened, _ := bank.First[bank.AccountOpened](facts[i])
		accounts = append(accounts, opened.Account)
		grants[i] = bank.Transfer{Legs: []ledger.Leg{{Debit: asset.Issuer, Credit: opened.Account, Amount: 1_000_000_000}}}.AppendTo(nil)
	}
	_, err = submit(grants...)
	return accounts, err
}

// draws is a small generator for loads: the linear congruential one of Knuth's
// MMIX.
type draws uint64

func (d *draws) next(n int) int {
	*d = *d*6364136223846793005 + 1442695040888963407
	return int(uint64(*d>>33) % uint64(n))
}

func (d *draws) pair(accounts []uint64) (from, to uint64) {
	i := d.next(len(accounts))
	return accounts[i], accounts[(i+1+d.next(len(accounts)-1))%len(accounts)]
}

// batched makes transfers in process; hot credits them all to one account.
func batched(accounts int, hot bool) func(context.Context, Site, time.Duration) (measured, error) {
	return func(ctx context.Context, site Site, length time.Duration) (measured, error) {
		n, err := openBench(ctx, site)
		if err != nil {
			return measured{}, err
		}
		defer n.close()
		funded, err := n.fund(ctx, accounts)
		if err != nil {
			return measured{}, err
		}
		return transferBatches(ctx, n.journal, funded, length, hot)
	}
}

// transferBatches makes transfers between accounts from two submitters.
func transferBatches(ctx context.Context, writer *journal.Writer, accounts []uint64, length time.Duration, hot bool) (measured, error) {
	const size = 8000
	return together(2, length, func(client int, until time.Time) (m measured, err error) {
		random, number := draws(client+1), uint64(client)<<56
		for time.Now().Before(until) {
			commands := make([][]byte, size)
			for i := range commands {
				number++
				from, to := random.pair(accounts[1:])
				if hot {
					to = accounts[0]
				}
				var key bank.Key
				binary.LittleEndian.PutUint64(key[:], number)
				commands[i] = bank.Transfer{Key: key, Legs: []ledger.Leg{{Debit: from, Credit: to, Amount: 1}}}.AppendTo(nil)
			}
			began := time.Now()
			answers, err := writer.Submit(ctx, commands...)
			if err != nil {
				return m, err
			}
			m.answers = append(m.answers, time.Since(began))
			for _, answer := range answers {
				if answer.Refusal != bank.Accepted {
					return m, fmt.Errorf("refused: %s", answer.Refusal)
				}
			}
			m.done += size
		}
		return m, nil
	})
}

// benchReplay fills a journal for the length of a run and then reads it again.
func benchReplay(ctx context.Context, site Site, length time.Duration) (measured, error) {
	n, err := openBench(ctx, site)
	if err != nil {
		return measured{}, err
	}
	accounts, err := n.fund(ctx, 100_000)
	if err == nil {
		_, err = transferBatches(ctx, n.journal, accounts, length, false)
	}
	if err = errors.Join(err, n.close()); err != nil {
		return measured{}, err
	}
	store, head, err := site.openJournal(ctx)
	if err != nil {
		return measured{}, err
	}
	defer store.Close()
	defer head.Close()
	var last uint64
	commands := 0
	for record, err := range store.Load(ctx, 1) {
		if err != nil {
			return measured{}, err
		}
		last, commands = record.Seq, commands+int(record.Header().Commands)
	}
	began := time.Now()
	_, err = journal.StateAt(ctx, store, last, func(uint64) {})
	return measured{done: commands, took: time.Since(began)}, err
}

// benchHistory makes transfers for a quarter of a run, and then the history of
// them from nothing.
func benchHistory(ctx context.Context, site Site, length time.Duration) (measured, error) {
	n, err := openBench(ctx, site)
	if err != nil {
		return measured{}, err
	}
	defer n.close()
	accounts, err := n.fund(ctx, 100_000)
	if err != nil {
		return measured{}, err
	}
	made, err := transferBatches(ctx, n.journal, accounts, length/16, false)
	if err != nil {
		return measured{}, err
	}
	store, err := n.secondHistory(ctx)
	if err != nil {
		return measured{}, err
	}
	defer store.Close()
	records, head, err := site.openJournal(ctx)
	if err != nil {
		return measured{}, err
	}
	defer records.Close()
	defer head.Close()
	follower, err := history.Open(ctx, store, journalSource{records.Load, n.journal}, history.Options{NowMS: systemMS})
	if err != nil {
		return measured{}, err
	}
	began := time.Now()
	if err := follower.CatchUp(ctx); err != nil {
		return measured{}, err
	}
	// A transfer is a row of transactions and two of postings; to register a
	// person and to open an account are one of transactions each, and one of
	// accounts.
	return measured{done: 3*(made.done+len(accounts)) + 3*len(accounts), took: time.Since(began)}, nil
}

// secondHistory opens an empty history; in PostgreSQL it takes the place of the
// bank's own, which must have been read to its end and stops.
func (n *node) secondHistory(ctx context.Context) (*sqldb.History, error) {
	if n.site.Store == "" {
		ring, err := n.site.keyring(ctx)
		if err != nil {
			return nil, err
		}
		return openHistory(ctx, filepath.Join(n.site.Data, "again.db"), ring, func(string) {})
	}
	if err := n.stopFollowing(); err != nil {
		return nil, err
	}
	store, err := sqldb.OpenHistory(ctx, n.site.place("history"))
	if err != nil {
		return nil, err
	}
	return store, store.Clear(ctx)
}

// together runs clients at the same time and adds up what they did.
func together(clients int, length time.Duration, client func(number int, until time.Time) (measured, error)) (measured, error) {
	var total measured
	var mu sync.Mutex
	var faults []error
	var group sync.WaitGroup
	began := time.Now()
	for number := range clients {
		group.Go(func() {
			m, err := client(number, began.Add(length))
			mu.Lock()
			defer mu.Unlock()
			total.done += m.done
			total.answers = append(total.answers, m.answers...)
			faults = append(faults, err)
		})
	}
	group.Wait()
	total.took = time.Since(began)
	return total, errors.Join(faults...)
}

// serveBench serves a bank on a free port of this machine.
func serveBench(n *node) (address string, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: api.New(api.Config{
		Bank: n.journal, Identity: n.identity, Collector: n.collector, History: n.history, Lag: n.follower.Lag,
		Ready: n.ready, Metrics: n.metrics(), Version: version(), NowMS: systemMS,
	})}
	go server.Serve(listener) // ends with Close
	return listener.Addr().String(), func() { server.Close() }, nil
}

// httpTransfers makes transfers over HTTP, as a world's server does between
// accounts of the world.
func httpTransfers(clients, legs int) func(context.Context, Site, time.Duration) (measured, error) {
	return func(ctx context.Context, site Site, length time.Duration) (measured, error) {
		n, err := openBench(ctx, site)
		if err != nil {
			return measured{}, err
		}
		defer n.close()
		accounts, err := n.fundWorld(ctx)
		if err != nil {
			return measured{}, err
		}
		key, err := n.benchKey(ctx)
		if err != nil {
			return measured{}, err
		}
		address, stop, err := serveBench(n)
		if err != nil {
			return measured{}, err
		}
		defer stop()
		return together(clients, length, func(client int, until time.Time) (m measured, err error) {
			wire, err := dialWire(address)
			if err != nil {
				return m, err
			}
			defer wire.close()
			random := draws(client + 1)
			for number := 0; time.Now().Before(until); number++ {
				body := []byte(`{"legs":[`)
				for leg := range legs {
					from, to := random.pair(accounts)
					if leg > 0 {
						body = append(body, ',')
					}
					body = fmt.Appendf(body, `{"from":"%d","to":"%d","amount":"0.01"}`, from, to)
				}
				body = append(body, "]}"...)
				began := time.Now()
				if err := wire.post("/v1/transfers", key, fmt.Sprintf("%d-%d", client, number), body, http.StatusCreated); err != nil {
					return m, err
				}
				m.answers = append(m.answers, time.Since(began))
				m.done += legs
			}
			return m, nil
		})
	}
}

// fundWorld opens the thousand accounts that a world can have in an asset.
func (n *node) fundWorld(ctx context.Context) (accounts []uint64, err error) {
	commands := [][]byte{bank.RegisterWorld{Code: "bench"}.AppendTo(nil), bank.RegisterAsset{Code: "GOLD", Scale: 2}.AppendTo(nil)}
	for sub := range uint32(1000) {
		commands = append(commands, bank.OpenAccount{OwnerKind: ledger.OwnerWorld, Owner: 1, Asset: 3, Sub: sub}.AppendTo(nil))
	}
	answers, err := n.journal.Submit(ctx, commands...)
	if err != nil {
		return nil, err
	}
	asset, _ := bank.First[bank.AssetRegistered](answers[1].Bytes)
	commands = nil
	for _, answer := range answers[2:] {
		opened, _ := bank.First[bank.AccountOpened](answer.Bytes)
		accounts = append(accounts, opened.Account)
		commands = append(commands, bank.Transfer{Legs: []ledger.Leg{{Debit: asset.Issuer, Credit: opened.Account, Amount: 1_000_000_000}}}.AppendTo(nil))
	}
	_, err = n.journal.Submit(ctx, commands...)
	return accounts, err
}

func benchEvents(ctx context.Context, site Site, length time.Duration) (measured, error) {
	n, err := openBench(ctx, site)
	if err != nil {
		return measured{}, err
	}
	defer n.close()
	if _, err := n.journal.Submit(ctx, bank.RegisterWorld{Code: "bench"}.AppendTo(nil)); err != nil {
		return measured{}, err
	}
	key, err := n.benchKey(ctx)
	if err != nil {
		return measured{}, err
	}
	address, stop, err := serveBench(n)
	if err != nil {
		return measured{}, err
	}
	defer stop()
	const size = 100
	return together(8, length, func(client int, until time.Time) (m measured, err error) {
		wire, err := dialWire(address)
		if err != nil {
			return m, err
		}
		defer wire.close()
		var body []byte
		for number := 0; time.Now().Before(until); number++ {
			body = append(body[:0], `{"batch":[`...)
			at := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
			for i := range size {
				if i > 0 {
					body = append(body, ',')
				}
				body = append(body, `{"type":"track","event":"heartbeat","userId":"user-`...)
				body = appendPadded(body, (number*size+i)%1000, 4)
				body = append(body, `","messageId":"`...)
				body = appendPadded(append(appendPadded(body, client, 8), '-'), number, 8)
				body = appendPadded(append(body, '-'), i, 4)
				body = append(append(body, `-5a5e-9a838b3f7f0a","timestamp":"`...), at...)
				body = append(body, `","context":{"library":{"name":"unity","version":"3.0.0"},"app":{"name":"cafe","version":"1.2"},"device":{"model":"headset-two"}},"properties":{"scene":"plaza","x":`...)
				body = append(appendPadded(body, i, 1), `,"y":-7,"fps":60}}`...)
			}
			body = append(body, "]}"...)
			began := time.Now()
			if err := wire.post("/v1/batch", key, "", body, http.StatusOK); err != nil {
				return m, err
			}
			m.answers = append(m.answers, time.Since(began))
			m.done += size
		}
		return m, nil
	})
}

// appendPadded appends a number with zeros in front up to a width. The load is
// made on the processors that are measured, so it is made cheaply.
func appendPadded(dst []byte, n, width int) []byte {
	digits := [20]byte{}
	text := strconv.AppendInt(digits[:0], int64(n), 10)
	for range width - len(text) {
		dst = append(dst, '0')
	}
	return append(dst, text...)
}
