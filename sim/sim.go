// Package sim runs the bank in a world of its own, made of a seed: its clock,
// its disks, its power, its network and its clients. Disks fail, lie, hang and
// fill up, replies are lost, the power is cut, clocks jump, requests come
// twice, a second program takes over and the old one comes back; an auditor
// recomputes from the inputs what must have come of it all.
// docs/simulation.md describes it.
package sim

import (
	"context"
	"fmt"

	"github.com/attentionbank/attentionbank/auditor"
	"github.com/attentionbank/attentionbank/bank"
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
	Batches   uint64         `json:"batches"`
	Purged    uint64         `json:"purged"` // events and sessions
	StateHash string         `json:"state_hash"`
}

// Faults are what can happen to a world, as Result counts it.
var Faults = []string{
	"write failed", "reply of the disk lost", "power cut before a write", "power cut during a write", "power cut after a write",
	"power cut during recovery", "power cut while a snapshot was written", "torn snapshot", "unsynced write lost", "unsynced write torn",
	"disk full", "slow disk", "requests written as one batch", "reply lost on the network",
	"clock jumped forward", "clock jumped back", "command delivered twice", "events delivered twice",
	"second program", "second program while a write hangs", "old program returns",
	tornRecord, tornBatch, lostRecords, lostBatches,
	flippedRecord, flippedSnapshot, flippedBatch, flippedBatchTime, flippedPart, "flipped byte in a head",
	"days passed", "purge broken off", "events accepted while a purge hangs", "decision on a case", "appeal",
}

// startMS is where the clock begins: 2026-01-10T12:00:00Z.
const startMS int64 = 1_768_046_400_000

// world is everything that is simulated. One goroutine runs at a time: the
// world's own, or a loop of the program while the world waits for it.
type world struct {
	ctx       context.Context
	random    draws
	keeping   keeping
	reviewing reviewing
	nowMS     int64
	latestMS  int64 // the clock has shown
	disk      *disk
	people    *people
	process   *process
	ghost     *ghost // nil if no old program is alive
	joints    joints
	unquiet   error // what the last request caused behind its answer

	// The auditor, and what it is told.
	books    *auditor.Books
	log      *auditor.Log
	epochs   *auditor.Epochs
	times    []int64 // of the durable records
	batches  uint64  // that are durable
	answered uint64  // the last record from which an order was answered

	// The clients.
	accounts   []uint64
	issuer     uint64
	orders     map[string]*order // that were answered, by key
	holds      map[string]uint64 // by the key under which they were placed
	placed     []string          // their keys
	bought     []auditor.Report
	sent       []delivery
	mayQueue   bool           // other requests may come in during this step
	afterwards []func() error // look at what became of them
	next       int

	faults   map[string]int
	restarts int
}

// Run makes a world of a seed, lets steps things happen in it, repairs it and
// has it audited. It returns an error that says what did not hold.
func Run(ctx context.Context, seed uint64, steps int) (Result, error) {
	return run(ctx, seed, steps, sound())
}

func run(ctx context.Context, seed uint64, steps int, program joints) (Result, error) {
	w := &world{
		ctx: ctx, random: draws(seed), keeping: drawKeeping(seed), reviewing: drawReviewing(seed), nowMS: startMS, people: newPeople(), joints: program, log: auditor.NewLog(auditedPolicies),
		epochs: auditor.NewEpochs(defaultMoney), orders: map[string]*order{}, holds: map[string]uint64{}, faults: map[string]int{},
	}
	w.disk = newDisk(w)
	w.disk.calm = true
	if err := w.start(); err != nil {
		return Result{}, err
	}
	if err := w.furnish(); err != nil {
		return Result{}, fmt.Errorf("furnishing the world: %w", err)
	}
	w.disk.calm = false
	err := w.live(steps)
	result := Result{Seed: seed, Steps: steps, Faults: w.faults, Restarts: w.restarts, Records: uint64(len(w.times)), Batches: w.batches, Purged: w.keeping.gone}
	if err == nil {
		err = w.process.writer.Read(ctx, func(state *bank.State) { result.StateHash = fmt.Sprintf("%x", state.Hash()) })
	}
	w.end()
	return result, err
}

// live lets steps things happen and has the world audited.
func (w *world) live(steps int) error {
	for step := range steps {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		for _, do := range []func() error{w.step, w.keepingStep, w.reviewStep} {
			if err := w.happen(do); err != nil {
				return fmt.Errorf("step %d: %w", step, err)
			}
		}
	}
	if err := w.audit(); err != nil {
		return fmt.Errorf("after the last step: %w", err)
	}
	return nil
}

// happen lets one thing happen, and what a slow disk has let come in beside it.
func (w *world) happen(do func() error) error {
	w.mayQueue = true
	if err := do(); err != nil {
		return err
	}
	for _, look := range w.afterwards {
		if err := look(); err != nil {
			return fmt.Errorf("behind a slow disk: %w", err)
		}
	}
	w.afterwards, w.latestMS = nil, max(w.latestMS, w.nowMS)
	return nil
}

// end ends what still runs.
func (w *world) end() {
	w.disk.holds = false
	if g := w.ghost; g != nil {
		if g.p.off = true; g.hung {
			close(g.p.thaw)
			g.finish() // of a world that has ended
		}
		w.stop(g.p, errPower)
	}
	w.stop(w.process, errPower)
}

func (w *world) count(fault string) { w.faults[fault]++ }

// defaultMoney is the bank's monetary policy to begin with, soonMoney what is
// set at once: short epochs with a budget that is often used up.
var (
	defaultMoney = auditor.Money{LambdaMicro: 16_667, BudgetMicro: 1_000_000_000_000, EpochMS: dayMS, DelayMS: 10 * 60 * 1000}
	soonMoney    = auditor.Money{LambdaMicro: 16_667, BudgetMicro: 400_000, EpochMS: 6 * hourMS, DelayMS: 10 * 60 * 1000}
)

// furnish opens two worlds, an asset and its accounts, and sets how epochs pay.
func (w *world) furnish() error {
	for world, code := range []string{"cafe", "plaza"} {
		if _, err := w.submit(bank.RegisterWorld{Code: code}.AppendTo(nil)); err != nil {
			return err
		}
		w.epochs.Shares[uint32(world+1)] = int64(world + 1)
	}
	if _, err := w.submit(bank.SetWorldShare{World: 2, Weight: 2}.AppendTo(nil)); err != nil {
		return err
	}
	money := bank.MonetaryPolicy{Mode: bank.Capped, LambdaMicro: soonMoney.LambdaMicro, BudgetMicro: soonMoney.BudgetMicro, EpochMS: soonMoney.EpochMS, CloseDelayMS: soonMoney.DelayMS}
	if _, err := w.submit(bank.SetMonetaryPolicy{Policy: money}.AppendTo(nil)); err != nil {
		return err
	}
	w.epochs.Next = soonMoney
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
	w.books = auditor.NewBooks(w.issuer, w.accounts)
	if w.keeping.purges {
		if err := w.carryOut(w.drawRetention()); err != nil {
			return err
		}
	}
	return w.publishRules()
}

// step lets one thing happen.
func (w *world) step() error {
	switch draw := w.random.below(200); {
	case draw < 52:
		return w.carryOut(w.drawTransfer())
	case draw < 74:
		return w.carryOut(w.drawHold())
	case draw < 84:
		return w.repeat()
	case draw < 126:
		return w.deliver(w.drawDelivery(1 + w.random.below(5)))
	case draw < 134:
		return w.openSession()
	case draw < 142:
		return w.sendAgain()
	case draw < 154:
		return w.flush()
	case draw < 160:
		return w.look()
	case draw < 162:
		return w.compareDays()
	case draw < 166:
		w.runAside(w.process)
	case draw < 186:
		w.passTime(draw)
	case draw < 190:
		return w.restart(errPower)
	case draw < 193:
		return w.restart(nil) // a clean end saves a snapshot and a checkpoint, if the disk lets it
	case draw < 196:
		return w.takeOver()
	default:
		return w.ghostReturns()
	}
	return nil
}

// passTime lets the clock run, or jump.
func (w *world) passTime(draw int) {
	switch draw {
	case 166:
		w.count("clock jumped forward")
		w.nowMS += w.random.within(10 * dayMS)
	case 167:
		w.count("clock jumped back")
		w.nowMS -= w.random.within(2 * dayMS)
	case 168, 169:
		w.count("clock jumped back")
		w.nowMS -= w.random.within(2 * hourMS)
	default:
		w.nowMS += w.random.within(3 * hourMS)
	}
}

// The policies of the two worlds: the default, and one whose caps and curve are
// soon reached. The auditor has them in its own words.
var (
	defaultPolicy = score.DefaultPolicy()
	plazaPolicy   = mustParse(`
name: plaza
alpha_per_hour: 60
beta: 0.25
gamma: 2
slice_minutes: 1
refund_window_days: 1
events: {Jumped: {presence_seconds: 20, weight: 1.5}}
caps: {slice_interactions: 2, day_interactions: 20, day_spend: 50, slice_points: 90, day_points: 130}
curve: {full_hours: 0.05, half_hours: 0.1}
`)
	auditedPolicies = map[uint32]auditor.Policy{
		1: {
			AlphaMicro: 30_000_000, BetaMicro: 500_000, GammaMicro: 1_000_000, SliceSeconds: 300, RefundMS: 14 * dayMS,
			BeatMS: 10_000, ActMS: 30_000, ActMilli: 1000, SliceActsMilli: 60_000, DaySpendMinor: 100_000, FullSeconds: 4 * 3600, HalfSeconds: 8 * 3600,
		},
		2: {
			AlphaMicro: 60_000_000, BetaMicro: 250_000, GammaMicro: 2_000_000, SliceSeconds: 60, RefundMS: dayMS,
			BeatMS: 10_000, ActMS: 20_000, ActMilli: 1500, SliceActsMilli: 2000, DayActsMilli: 20_000, DaySpendMinor: 5000,
			SlicePointsMicro: 90_000_000, DayPointsMicro: 130_000_000, FullSeconds: 180, HalfSeconds: 360,
		},
	}
)

func mustParse(text string) *score.Policy {
	p, err := score.ParsePolicy([]byte(text))
	if err != nil {
		panic(fmt.Sprintf("sim: %v", err))
	}
	return p
}
