package sim

import (
	"errors"
	"fmt"

	"github.com/attentionbank/attentionbank/bank"
)

// What becomes of a request that hangs.
var (
	errGaveUp    = errors.New("the client has given up waiting")
	errTakenOver = errors.New("another program has taken over")
)

// attempted is one try of a request.
type attempted[T any] struct {
	value T
	err   error
}

// attempt gives a request to the program. If a write hangs meanwhile, the disk
// was only slow, or another program takes over.
func attempt[T any](w *world, do func(*process) (T, error)) (value T, err error) {
	p := w.process
	result := make(chan attempted[T], 1)
	w.disk.holds = !w.disk.calm && w.ghost == nil
	go func() {
		value, err := do(p)
		result <- attempted[T]{value, err}
	}()
	select {
	case got := <-result:
		w.disk.holds = false
		w.unquiet = p.quiet()
		return got.value, got.err
	case <-w.disk.held:
	}
	w.disk.holds = false
	if w.random.below(3) == 0 {
		w.count("second program while a write hangs")
		w.ghost = &ghost{p: p, hung: true, finish: func() error { return (<-result).err }}
		if err := w.startAgain(); err != nil {
			return value, fmt.Errorf("%w: %w", errWrong, err)
		}
		return value, errTakenOver
	}
	w.count("slow disk")
	w.nowMS += 1000 + w.random.within(119_000)
	others := w.queueBehind(p)
	close(p.thaw)
	got := <-result
	for _, done := range others {
		<-done
	}
	w.unquiet = p.quiet()
	if got.err == nil && w.random.below(3) == 0 {
		w.count("reply lost on the network")
		return value, errGaveUp
	}
	return got.value, got.err
}

// until gives a request until it is answered, restarting the program whenever
// a fault has stopped it: as a client does that retries.
func until[T any](w *world, do func(*process) (T, error)) (value T, err error) {
	for try := 0; ; try++ {
		value, err = attempt(w, do)
		switch {
		case err == nil && w.disk.damage.seen && w.unquiet == nil && w.process.events.Err() == nil:
			return value, wrong("a %s was met and not found", w.disk.damage.kind)
		case err == nil || errors.Is(err, errWrong) || try > 200:
			return value, err
		case err == errGaveUp || err == errTakenOver:
			continue
		}
		if w.disk.damage.seen {
			w.count(w.disk.damage.kind)
		}
		if err := w.restart(err); err != nil {
			return value, err
		}
	}
}

// errWrong is wrapped by what the auditor finds, which no retry puts right.
var errWrong = errors.New("the auditor disagrees")

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errWrong, fmt.Sprintf(format, args...))
}

// ghost is a program that another has taken over from, and that still runs.
type ghost struct {
	p      *process
	hung   bool
	finish func() error // ends the request in which it hung
}

// takeOver starts a second program while the first is alive and idle.
func (w *world) takeOver() error {
	if w.ghost != nil {
		return w.ghostReturns()
	}
	w.count("second program")
	w.ghost = &ghost{p: w.process}
	return w.startAgain()
}

// ghostReturns lets the old program go on: it is acknowledged no command any
// more, and what it still does to the events and on its way out harms nothing.
func (w *world) ghostReturns() error {
	g := w.ghost
	if g == nil {
		return nil
	}
	w.ghost = nil
	w.count("old program returns")
	if g.hung {
		inJournal := g.p.hangsIn == "journal"
		close(g.p.thaw)
		if err := g.finish(); err == nil && inJournal {
			return wrong("the old writer was acknowledged a record that it wrote after another had begun")
		}
		g.p.quiet() // it may have stopped
	}
	if _, err := g.p.writer.Submit(w.ctx, bank.RegisterPerson{ID: [16]byte{9}}.AppendTo(nil)); err == nil {
		return wrong("the old writer was acknowledged after another had begun")
	}
	d, sends, reason := w.drawDelivery(1+w.random.below(3)), w.random.below(2) == 0, errPower
	if sends {
		s, err := w.send(g.p, d)
		if err == nil {
			err = w.checkSent(d, s)
		}
		if errors.Is(err, errWrong) {
			return err
		}
		g.p.quiet() // it may have stopped
	}
	if w.random.below(2) == 0 {
		reason = nil // it ends well, and saves what it knows
	}
	w.stop(g.p, reason)
	if sends {
		return w.deliver(d) // the world does not know which program has answered
	}
	return nil
}
