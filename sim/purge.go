package sim

import (
	"context"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/journal"
)

// keeping is what a world makes of how long its events are kept. It draws apart
// from the rest, so that a world in which all is kept is what it was before
// there were others.
type keeping struct {
	random draws
	purges bool   // some events are kept for a time only
	gone   uint64 // entries of the log
}

// apartFrom is what the draws of a seed about later things begin with. It is
// chosen so that the named seeds make the worlds in which their bugs were found.
const apartFrom = 8393

func drawKeeping(seed uint64) (k keeping) {
	k.random = draws(seed ^ apartFrom<<32)
	k.purges = k.random.below(2) == 0
	return k
}

// keepingStep lets something happen to what is kept, or days go by.
func (w *world) keepingStep() error {
	k := &w.keeping
	if !k.purges {
		return nil
	}
	switch k.random.below(12) {
	case 0, 1:
		return w.purge()
	case 2:
		w.count("days passed")
		w.nowMS += dayMS + k.random.within(4*dayMS)
	case 3:
		return w.carryOut(w.drawRetention())
	}
	return nil
}

// drawRetention lets a world keep its events for a while, or asks for less than
// the horizon, which is refused.
func (w *world) drawRetention() *order {
	name, key := w.key()
	world, days := uint32(1+w.keeping.random.below(2)), of(&w.keeping.random, []int64{6, 7, 7, 8, 10, 14})
	return &order{
		name: name, command: bank.SetRetention{Key: key, World: world, Days: uint16(days)}.AppendTo(nil),
		audit: func(int64) bool { return w.log.Keep(world, days) },
	}
}

// retention is how long worlds keep their events, as a process knows it.
func (p *process) retention(ctx context.Context) (keepMS map[uint32]int64, err error) {
	keepMS = map[uint32]int64{}
	err = p.writer.Read(ctx, func(state *bank.State) {
		for world := uint32(1); world <= state.Worlds(); world++ {
			keepMS[world] = int64(state.World(world).RetentionDays) * dayMS
		}
	})
	return p.world.joints.keeps(keepMS), err
}

// purge drops what is over, until it is done. Then the log has what is to be
// kept, and what was sent longest ago within the horizon is still known.
func (w *world) purge() error {
	w.mayQueue = false // a purge is several requests, and steps between them
	askedMS := w.nowMS
	_, err := until(w, func(p *process) (struct{}, error) {
		p.writing = []delivery{{}} // if something is over, a batch may say how late it is
		return struct{}{}, p.events.Purge(w.ctx)
	})
	if err != nil {
		return err
	}
	w.log.Purged(askedMS)
	if err := w.compareKept(); err != nil {
		return err
	}
	for _, d := range w.sent {
		if w.isRemembered(d) {
			return w.repeatDelivery(d)
		}
	}
	return nil
}

// compareKept compares the log on the disk with what is to be kept, and has it
// verified.
func (w *world) compareKept() (err error) {
	var bodies [][]byte
	for batch, err := range w.disk.events.Load(w.ctx, 1) {
		if err != nil {
			return err
		}
		bodies = append(bodies, batch.Body)
	}
	if w.keeping.gone, err = w.log.CompareKept(bodies); err != nil {
		return wrong("%v", err)
	}
	view := &process{world: w}
	verified, err := collect.Verify(w.ctx, w.disk.events, journal.HeadIn(fileOf{w.disk.tail, view, "tail"}), func(uint64) {})
	if err != nil || verified.Dropped != w.keeping.gone {
		return wrong("of the log %+v is verified (%v), the auditor says that %d entries are gone", verified, err, w.keeping.gone)
	}
	return nil
}

// deliverMeanwhile lets events come in while a step of a purge hangs: nothing
// waits for it.
func (w *world) deliverMeanwhile(p *process) {
	w.count("events accepted while a purge hangs")
	d := w.drawDelivery(1 + w.random.below(3))
	s, err := w.send(p, d)
	p.quiet() // what is behind the answer has to end before the purge goes on
	w.afterwards = append(w.afterwards, func() error {
		if err != nil {
			return w.deliver(d)
		}
		return w.checkSent(d, s)
	})
}

// auditKeeping purges once more in the end, and lets the program start from what
// is left.
func (w *world) auditKeeping() error {
	if !w.keeping.purges {
		return nil
	}
	for _, do := range []func() error{w.purge, func() error { return w.restart(errPower) }, w.flush, w.compareDays, w.look, w.compareKept} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}
