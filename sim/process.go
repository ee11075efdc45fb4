package sim

import (
	"errors"
	"fmt"
	"sync"

	"github.com/attentionbank/attentionbank/auditor"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/score"
)

// process is one run of the program. Its loops run one at a time, and only
// while the world waits for them.
type process struct {
	world *world
	// off is the power: whatever it still tries reaches no disk.
	off     bool
	opening bool // it is recovering
	warned  bool // it has told its operator something
	writer  *journal.Writer
	events  *collect.Collector

	// fold is what the auditor holds this run to know of behaviour.
	fold     *auditor.Fold
	deciding func()     // carries out what the next record decides
	minting  bool       // the next record holds its Mints
	mintMS   int64      // the bank's time when it came to be
	writing  []delivery // what its next batches of events hold

	// aside are snapshots that are still to be written. The loop of the writer
	// adds to them, once more even while the process ends if a real clock wakes
	// it: then they are written at once, since nobody comes for them any more.
	asideMu sync.Mutex
	aside   []func()
	ending  bool

	hangsIn string // the write in which it hangs
	thaw    chan struct{}
}

// hang lets a write wait until thaw is closed.
func (p *process) hang(what string) {
	p.hangsIn, p.thaw = what, make(chan struct{})
	p.world.disk.held <- p
	<-p.thaw
}

// start turns the power on: the program recovers from the disks.
func (w *world) start() (err error) {
	p := &process{world: w, opening: true, fold: w.log.Recover()}
	w.process = p
	now := func() int64 { return w.nowMS }
	store, head := w.joints.journal(journalOf{w.disk, p}), w.joints.head(journal.HeadIn(fileOf{w.disk.head, p, "head"}))
	p.writer, err = journal.Open(w.ctx, store, head, journal.Options{
		Now: w.joints.clock(now), ByRequestOnly: true, SnapshotEvery: 20,
		Aside: p.putAside,
		Warn:  func(string) { p.warned = true },
	})
	if err == nil {
		policies := func(world uint32, _ int32, _ uint32) (*score.Policy, uint32) { return w.joints.policies[world], 0 }
		store := w.joints.events(eventsOf{w.disk.events, w.disk, p})
		p.events, err = collect.Open(w.ctx, store, w.joints.tail(journal.HeadIn(fileOf{w.disk.tail, p, "tail"})), store, w.people, policies,
			collect.Options{Now: now, CheckpointEntries: 25, Rules: p.rules, Purges: store, Retention: p.retention, PurgeBatches: 3})
	}
	p.opening = false
	if err != nil {
		w.stop(p, errPower)
	}
	return err
}

func (p *process) putAside(work func()) {
	p.asideMu.Lock()
	if !p.ending {
		p.aside = append(p.aside, work)
		p.asideMu.Unlock()
		return
	}
	p.asideMu.Unlock()
	work()
}

// stop ends a process: with a reason it is cut off, without one it ends as its
// operator wishes.
func (w *world) stop(p *process, reason error) {
	p.off = p.off || reason != nil
	if p.events != nil {
		p.events.Close() // what it could not save is folded again
	}
	p.asideMu.Lock()
	p.ending = true
	p.asideMu.Unlock()
	w.runAside(p)
	if p.writer != nil {
		p.writer.Close(w.ctx) // what it could not save is replayed
	}
	p.writer, p.events = nil, nil
}

// runAside writes the snapshots of a process that were frozen a while ago.
func (w *world) runAside(p *process) {
	p.asideMu.Lock()
	list := p.aside
	p.aside = nil
	p.asideMu.Unlock()
	for _, work := range list {
		work()
	}
}

// restart ends the program and starts it again until the disks let it.
func (w *world) restart(reason error) error {
	w.stop(w.process, reason)
	return w.startAgain()
}

func (w *world) startAgain() error {
	for try := 0; ; try++ {
		w.restarts++
		w.disk.full = w.disk.full && try < 3 // somebody makes space
		w.disk.damage = damage{}
		for _, f := range []*file{w.disk.head, w.disk.tail} {
			lost, torn := f.crash(&w.random)
			if lost {
				w.count("unsynced write lost")
			}
			if torn {
				w.count("unsynced write torn")
			}
		}
		if err := w.mayDamage(); err != nil {
			return err
		}
		err := w.start()
		if err == nil {
			w.unquiet = w.process.quiet() // a program that has stopped again is found out by the next request
			return nil
		}
		if !w.isFault(err) || try > 200 {
			return fmt.Errorf("restarting: %w", err)
		}
	}
}

// isFault reports whether an error comes of a fault that was drawn.
func (w *world) isFault(err error) bool {
	return errors.Is(err, errPower) || errors.Is(err, errIO) || w.disk.full || w.disk.damage.seen
}

// quiet waits until the loops of a process have done what they do behind an
// answer: the collector first, which may save a checkpoint. A second look at
// each waits for what the first has caused.
func (p *process) quiet() error {
	var faults [4]error
	for i := range 2 {
		_, faults[i] = p.events.Verdict(p.world.ctx, 1, "nobody's")
	}
	for i := range 2 {
		faults[2+i] = p.writer.Read(p.world.ctx, func(*bank.State) {})
	}
	return errors.Join(faults[:]...)
}

// recordIsDurable tells the auditor that a process has made a record durable
// when the clock stood at clockMS.
func (w *world) recordIsDurable(p *process, clockMS int64) {
	w.times = append(w.times, w.epochs.Record(clockMS, p.opening))
	if p.minting {
		p.fold.Mature()
		w.epochs.Mint(p.fold.Awards())
		if w.reviewing.on && w.reviewing.holds {
			w.epochs.Look(p.fold.Odd(w.reviewing.rule))
		}
		p.minting, p.mintMS = false, w.epochs.NowMS
	}
	if p.deciding != nil {
		p.deciding()
		p.deciding = nil
	}
}

// batchIsDurable tells the auditor that a process has made its next batch of
// events durable.
func (w *world) batchIsDurable(p *process, clockMS int64) {
	w.batches++
	w.log.Reaches(p.fold, clockMS, p.writing[0].reports, p.writing[0].sessions)
	p.writing = p.writing[1:]
}
