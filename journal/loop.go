package journal

import (
	"errors"
	"time"
)

// run is the loop of the single writer. It applies what comes to the record
// that is being made, while the one before is on its way to the store; when that
// is durable and answered, the next one follows. The first append that fails
// ends the loop.
func (w *Writer) run() {
	defer w.end()
	defer close(w.flights)
	go w.carryFlights()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var err error
		if w.flying == nil {
			err = w.wait(timer)
		} else {
			err = w.overlap()
		}
		if errors.Is(err, errClosed) {
			return
		}
		if err != nil {
			w.failure.Store(&err)
			w.refuse(w.flying.requests)
			w.refuse(w.draft.requests)
			return
		}
	}
}

// errClosed says that nothing waits any more and the writer is to end.
var errClosed = errors.New("the writer was closed")

// wait waits, while no record is under way, for a request or until something is
// due, and makes a record of it and of what waits behind it.
func (w *Writer) wait(timer *time.Timer) error {
	if w.options.ByRequestOnly {
		timer.Stop()
	} else {
		timer.Reset(w.untilDue())
	}
	select {
	case r := <-w.queue:
		w.join(r)
	case <-timer.C:
		w.begin(false)
	case <-w.closing:
		select { // answer what waits before ending
		case r := <-w.queue:
			w.join(r)
		default:
			return errClosed
		}
	}
	w.joinWaiting()
	w.launch()
	return nil
}

// overlap goes on while a record is under way. If somebody reads what it leads
// to, nothing is applied before that was read: nothing shows that may be lost.
func (w *Writer) overlap() error {
	queue := w.queue
	if w.flying.reads || w.draft.full() {
		queue = nil
	}
	select {
	case r := <-queue:
		w.join(r)
		return nil
	case err := <-w.landed:
		return w.land(err)
	}
}

// untilDue returns how long nothing has to be done by time.
func (w *Writer) untilDue() time.Duration {
	dueMS, any := w.at.state.NextDueMS()
	if !any {
		return repollMS * time.Millisecond
	}
	return time.Duration(min(max(dueMS-w.nowMS(), 0), repollMS)) * time.Millisecond
}

func (w *Writer) refuse(requests []*request) {
	for _, r := range requests {
		r.err = w.stopped()
		close(r.done)
	}
}
