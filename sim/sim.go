// Package sim runs the bank in a world of its own, made of a seed: its clock,
// its disks, its power and its clients. Disks fail, replies are lost, the power
// is cut, clocks jump, requests come twice and a second writer appears; an
// auditor recomputes from the inputs what must have come of it all.
package sim

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/score"
)

// Result is what a run came to.
type Result struct {
	Seed      uint64         `json:"seed"`
	Steps     int            `json:"steps"`
	Faults    map[string]int `json:"faults"`
	Restarts  int            `json:"restarts"`
	Records   uint64         `json:"records"`
	StateHash string         `json:"state_hash"`
}

// draws is the seed's generator: SplitMix64 (Steele, Lea and Flood, 2014).
type draws uint64

func (d *draws) below(n int) int {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) % uint64(n))
}

// startMS is where the clock begins: 2026-01-10T12:00:00Z.
const startMS int64 = 1_768_046_400_000

// world is everything that is simulated. It runs on one goroutine and waits
// for each answer, so a seed gives the same run.
type world struct {
	ctx      context.Context
	random   draws
	nowMS    int64
	disk     *disk
	people   *people
	process  *process
	writer   *journal.Writer
	events   *collect.Collector
	auditor  *auditor
	accounts []uint64
	issuer   uint64
	commands map[string][]byte // what was asked under a key that is remembered
	askedMS  map[string]int64
	answers  map[string]bank.Refusal
	holds    map[string]uint64
	sent     []collect.Request
	restarts int
	next     int
}

// Run makes a world of a seed, lets steps things happen in it, repairs it and
// has it audited. It returns an error that says what did not hold.
func Run(ctx context.Context, seed uint64, steps int) (Result, error) {
	w := &world{
		ctx: ctx, random: draws(seed), nowMS: startMS, people: newPeople(),
		commands: map[string][]byte{}, askedMS: map[string]int64{}, answers: map[string]bank.Refusal{}, holds: map[string]uint64{},
	}
	w.disk = newDisk(&w.random)
	w.disk.calm = true
	if err := w.start(); err != nil {
		return Result{}, err
	}
	if err := w.furnish(); err != nil {
		return Result{}, fmt.Errorf("furnishing the world: %w", err)
	}
	w.disk.calm = false
	for step := range steps {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		if err := w.step(); err != nil {
			return Result{}, fmt.Errorf("step %d: %w", step, err)
		}
	}
	result := Result{Seed: seed, Steps: steps, Faults: w.disk.faults, Restarts: w.restarts}
	w.disk.calm, w.disk.full = true, false
	hash, err := w.audit()
	result.StateHash, result.Records = hash, w.writer.Durable()
	w.stop()
	return result, err
}

// start turns the power on: the program recovers from the disks.
func (w *world) start() (err error) {
	w.process = &process{}
	now := func() int64 { return w.nowMS }
	w.writer, err = journal.Open(w.ctx, journalOf{w.disk, w.process}, headOf{w.disk, w.process, w.disk.head}, journal.Options{Now: now, ByRequestOnly: true})
	if err != nil {
		return err
	}
	policies := func(uint32, int32, uint32) (*score.Policy, uint32) { return defaultPolicy, 0 }
	store := eventsOf{w.disk, w.process}
	w.events, err = collect.Open(w.ctx, store, headOf{w.disk, w.process, w.disk.tail}, store, w.people, policies, collect.Options{Now: now})
	if err != nil {
		w.writer.Close(w.ctx) // the power is off or the disk has failed; it restarts
	}
	return err
}

var defaultPolicy = score.DefaultPolicy()

// stop ends the program's goroutines; with the power off nothing of it reaches
// the disks.
func (w *world) stop() {
	w.events.Close()
	w.writer.Close(w.ctx)
}

// restart starts the program again until the disks let it.
func (w *world) restart() error {
	w.process.off = true
	w.stop()
	for try := 0; ; try++ {
		w.restarts++
		w.disk.full = w.disk.full && try < 3 // somebody makes space
		err := w.start()
		if err == nil {
			return nil
		}
		if !w.isFault(err) || try > 200 {
			return fmt.Errorf("restarting: %w", err)
		}
		w.process.off = true
	}
}

// isFault reports whether an error comes of a fault that was drawn.
func (w *world) isFault(err error) bool {
	return errors.Is(err, errPower) || errors.Is(err, errIO) || w.disk.full || errors.Is(err, journal.ErrConflict)
}

// until does something until it is answered, restarting the program whenever a
// fault has stopped it: as a client does that retries.
func (w *world) until(do func() error) error {
	for try := 0; ; try++ {
		err := do()
		if err == nil {
			return nil
		}
		if try > 200 {
			return fmt.Errorf("never answered: %w", err)
		}
		if err := w.restart(); err != nil {
			return err
		}
	}
}

// submit gives a command until it is answered.
func (w *world) submit(command []byte) (answer journal.Answer, err error) {
	err = w.until(func() error {
		answers, err := w.writer.Submit(w.ctx, command)
		if err == nil {
			answer = answers[0]
		}
		return err
	})
	return answer, err
}

// furnish opens a world, an asset and its accounts.
func (w *world) furnish() error {
	if _, err := w.submit(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil)); err != nil {
		return err
	}
	answer, err := w.submit(bank.RegisterAsset{Code: "GOLD", Scale: 0}.AppendTo(nil))
	if err != nil {
		return err
	}
	registered, _ := bank.First[bank.AssetRegistered](answer.Bytes)
	w.issuer = registered.Issuer
	for sub := range uint32(6) {
		answer, err := w.submit(bank.OpenAccount{OwnerKind: ledger.OwnerWorld, Owner: 1, Asset: registered.Asset, Sub: sub}.AppendTo(nil))
		if err != nil {
			return err
		}
		opened, _ := bank.First[bank.AccountOpened](answer.Bytes)
		w.accounts = append(w.accounts, opened.Account)
	}
	w.auditor = newAuditor(w.issuer, w.accounts)
	return nil
}

// step lets one thing happen.
func (w *world) step() error {
	switch draw := w.random.below(100); {
	case draw < 30:
		return w.transfer()
	case draw < 38:
		return w.hold()
	case draw < 44:
		return w.repeat()
	case draw < 70:
		return w.sendEvents()
	case draw < 74:
		return w.openSession()
	case draw < 78:
		return w.sendAgain()
	case draw < 84:
		return w.flush()
	case draw < 93:
		w.nowMS += int64(w.random.below(3 * 3600 * 1000))
	case draw < 95:
		// A clock that jumps back, but not behind what the events tell of.
		w.nowMS = max(w.nowMS-int64(w.random.below(2*3600*1000)), startMS)
	case draw < 97:
		return w.restart()
	case draw < 99:
		// A clean end saves a snapshot and a checkpoint, if the disk lets it.
		w.stop()
		return w.restart()
	default:
		return w.secondWriter()
	}
	return nil
}

func (w *world) account() uint64 {
	if n := w.random.below(8); n < len(w.accounts) {
		return w.accounts[n]
	}
	return w.issuer
}

// ask gives a keyed command, and requires the answer that the auditor expects.
func (w *world) ask(key string, command []byte, expected bool) (journal.Answer, error) {
	answer, err := w.submit(command)
	if err != nil {
		return answer, err
	}
	w.commands[key], w.answers[key], w.askedMS[key] = command, answer.Refusal, w.nowMS
	if accepted := answer.Refusal == bank.Accepted; accepted != expected {
		return answer, fmt.Errorf("command %s was answered %s, the auditor says accepted: %v", key, answer.Refusal, expected)
	}
	return answer, nil
}

func (w *world) key() (text string, key bank.Key) {
	w.next++
	text = fmt.Sprintf("k%d", w.next)
	copy(key[:], text)
	return text, key
}

func (w *world) transfer() error {
	text, key := w.key()
	from, to, amount := w.account(), w.account(), int64(w.random.below(50))
	command := bank.Transfer{Key: key, Legs: []ledger.Leg{{Debit: from, Credit: to, Amount: amount}}}.AppendTo(nil)
	_, err := w.ask(text, command, w.auditor.transfer(from, to, amount))
	return err
}

// hold places a hold, or settles one.
func (w *world) hold() error {
	text, key := w.key()
	if open := sortedKeys(w.holds); len(open) > 0 && w.random.below(2) == 0 {
		placed := open[w.random.below(len(open))]
		audited, isOpen := w.auditor.holds[placed]
		amount := int64(1)
		if isOpen {
			amount = audited.amount
		}
		command := bank.SettleHold{Key: key, Hold: w.holds[placed], Amount: amount, Final: true}.AppendTo(nil)
		_, err := w.ask(text, command, w.auditor.settle(placed))
		return err
	}
	from, to, amount := w.account(), w.account(), int64(w.random.below(50))
	command := bank.PlaceHold{Key: key, Account: from, Beneficiary: to, Amount: amount}.AppendTo(nil)
	answer, err := w.ask(text, command, w.auditor.hold(text, from, to, amount))
	if placed, ok := bank.First[bank.HoldPlaced](answer.Bytes); ok {
		w.holds[text] = placed.Hold
	}
	return err
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

// repeat gives an earlier command again: it gets the first answer.
func (w *world) repeat() error {
	keys := sortedKeys(w.commands)
	if len(keys) == 0 {
		return nil
	}
	key := keys[w.random.below(len(keys))]
	// The bank's clock may be ahead of this one by what it has jumped back.
	const jumps = 4 * 3600 * 1000
	if w.nowMS-w.askedMS[key] > bank.RepeatWindowMS-jumps {
		delete(w.commands, key)
		return nil
	}
	answer, err := w.submit(w.commands[key])
	if err != nil {
		return err
	}
	if answer.Refusal != w.answers[key] || !answer.Repeated {
		return fmt.Errorf("command %s was answered %s first, and %s (repeated: %v) when it came again", key, w.answers[key], answer.Refusal, answer.Repeated)
	}
	return nil
}

var users = [...]string{"ann", "bob", "cho"}

func (w *world) sendEvents() error {
	request := collect.Request{World: 1, Trust: collect.TrustServer}
	if w.random.below(2) == 0 {
		request.Trust = collect.TrustWrite
	}
	for range 1 + w.random.below(5) {
		w.next++
		e := event.Event{Call: event.Track, Type: "Jumped", UserID: users[w.random.below(len(users))], MessageID: fmt.Sprintf("m%d", w.next)}
		if w.random.below(3) > 0 {
			e.Type = "heartbeat"
		}
		// Within a day of the start of the world, so never late by chance.
		e.TimeMS = startMS - int64(w.random.below(24*3600*1000))
		if w.random.below(20) == 0 {
			e.TimeMS = startMS - 300*24*3600*1000
		}
		request.Items = append(request.Items, event.Item{Event: e})
		w.auditor.events[e.MessageID] = auditedEvent{
			user: e.UserID, server: request.Trust == collect.TrustServer, timeMS: e.TimeMS, beat: e.Type == "heartbeat",
		}
	}
	w.sent = append(w.sent, request)
	return w.deliver(request)
}

// deliver sends events until they are acknowledged. Whether an event was late
// is decided by its verdict, once, and must fit its age.
func (w *world) deliver(request collect.Request) error {
	return w.until(func() error {
		results, err := w.events.Accept(w.ctx, request)
		if err != nil {
			return err
		}
		for i, result := range results {
			audited := w.auditor.events[request.Items[i].Event.MessageID]
			late := result.Verdict == collect.Late || result.First == collect.Late
			if !late && w.nowMS-audited.timeMS > 100*24*3600*1000 {
				return fmt.Errorf("message %s of long ago is %s", result.MessageID, result.Verdict)
			}
			audited.late = audited.late || late
			w.auditor.events[request.Items[i].Event.MessageID] = audited
		}
		return nil
	})
}

// sendAgain sends an earlier request again: everything in it is a duplicate.
func (w *world) sendAgain() error {
	if len(w.sent) == 0 {
		return nil
	}
	request := w.sent[w.random.below(len(w.sent))]
	return w.until(func() error {
		results, err := w.events.Accept(w.ctx, request)
		for _, result := range results {
			if result.Verdict != collect.Duplicate && w.nowMS < startMS+6*24*3600*1000 {
				return fmt.Errorf("message %s came again and is %s", result.MessageID, result.Verdict)
			}
		}
		return err
	})
}

func (w *world) openSession() error {
	s := auditedSession{user: users[w.random.below(len(users))], fromMS: startMS - int64(w.random.below(24*3600*1000))}
	s.untilMS = s.fromMS + int64(1+w.random.below(6*3600*1000))
	if w.nowMS-s.fromMS > collect.HorizonMS-3600*1000 {
		return nil
	}
	w.auditor.sessions = append(w.auditor.sessions, s)
	return w.until(func() error { return w.events.OpenSession(w.ctx, 1, s.user, "", s.fromMS, s.untilMS) })
}

// flush posts what was earned, until it is.
func (w *world) flush() error {
	return w.until(func() error {
		_, err := w.events.Flush(w.ctx, func(ctx context.Context, mints []bank.Mint) error {
			commands := make([][]byte, len(mints))
			for i := range mints {
				commands[i] = mints[i].AppendTo(nil)
			}
			answers, err := w.writer.Submit(ctx, commands...)
			for _, answer := range answers {
				if answer.Refusal != bank.Accepted {
					return fmt.Errorf("a mint was refused: %s", answer.Refusal)
				}
			}
			return err
		})
		return err
	})
}

// secondWriter opens the journal once more while the first writer is alive:
// the first must stop at its next record and be acknowledged nothing more.
func (w *world) secondWriter() error {
	other := &process{}
	second, err := journal.Open(w.ctx, journalOf{w.disk, other}, headOf{w.disk, other, w.disk.head}, journal.Options{Now: func() int64 { return w.nowMS }, ByRequestOnly: true})
	if err != nil {
		if w.isFault(err) {
			return w.restart()
		}
		return fmt.Errorf("a second writer: %w", err)
	}
	_, err = w.writer.Submit(w.ctx, bank.RegisterPerson{ID: [16]byte{9}}.AppendTo(nil))
	if err == nil {
		return errors.New("the first writer was acknowledged after a second one had begun")
	}
	other.off = true
	second.Close(w.ctx)
	return w.restart()
}
