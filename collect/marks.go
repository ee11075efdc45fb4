package collect

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/attentionbank/attentionbank/abuse"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/score"
)

// Marks find who has something in common on a day, without a list of what it
// is: a device's is the HMAC of its id with the day, under a secret of the bank.
// They are kept for markDays; those of an erased subject are dropped with it.
const (
	markDays = 8 // what is later than the horizon joins no day
	// maxDevices bounds the devices of a person's day that are marked.
	maxDevices = 8
)

// The first byte of a mark is its kind.
const (
	deviceMark    byte = iota + 1 // came by the device on the day
	newDeviceMark                 // and for the first time
	newcomerMark                  // came to the world for the first time in the hour
)

// arrival is when and where a person was first reported; zero if it was not, 1
// ms for who is known of old.
type arrival struct {
	ms    int64
	world uint32
}

// deviceNames are properties in which clients name their device.
var deviceNames = []string{"device_id", "deviceId", "$device_id"}

// deviceOf returns the mark of the device by which an event came: the one that
// it names, else the client's anonymous id.
func (c *Collector) deviceOf(p *prepared, e *event.Event, day int32) (mark Mark) {
	if p.policyVersion != 0 || p.trust == TrustImport {
		return mark
	}
	device := e.AnonymousID
	for _, name := range deviceNames {
		if value, found := e.Property(name); found && value != "" {
			device = value
			break
		}
	}
	if device == "" {
		return mark
	}
	h := hmac.New(sha256.New, c.markSecret[:])
	h.Write(binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32([]byte("device/1"), p.world), uint32(day)))
	h.Write([]byte(device))
	mark = Mark(h.Sum(nil)[:16])
	mark[0] = deviceMark
	return mark
}

// newcomers is the mark of those who first came to a world in an hour.
func newcomers(world uint32, hour int64) (mark Mark) {
	mark[0] = newcomerMark
	binary.LittleEndian.PutUint32(mark[1:], world)
	binary.LittleEndian.PutUint64(mark[8:], uint64(hour))
	return mark
}

// meet marks a day with what behaviour shows to be in common with others.
func (f *fold) meet(ctx context.Context, subject uint64, who *person, number int32, w waiting) error {
	if w.policy != 0 {
		return nil
	}
	owner, owning, err := f.owner(ctx, subject, who, number)
	if err != nil {
		return err
	}
	d, err := f.day(ctx, owner, owning, number)
	if err != nil {
		return err
	}
	arrived, _ := score.DayOf(who.since.ms)
	if number == arrived {
		f.mark(owner, d, newcomers(who.since.world, who.since.ms/hourMS))
	}
	if w.device == (Mark{}) || d.devices() >= maxDevices {
		return nil
	}
	f.mark(owner, d, w.device)
	if number == arrived {
		w.device[0] = newDeviceMark
		f.mark(owner, d, w.device)
	}
	return nil
}

func (f *fold) mark(owner uint64, d *day, mark Mark) {
	if slices.Contains(d.marks, mark) {
		return
	}
	d.marks, d.changed = append(d.marks, mark), true
	if !slices.Contains(f.fresh[mark], owner) {
		f.fresh[mark] = append(f.fresh[mark], owner)
	}
}

func (d *day) devices() (n int) {
	for i := range d.marks {
		if d.marks[i][0] == deviceMark {
			n++
		}
	}
	return n
}

// marked returns the subjects with a mark, at most abuse.MaxShared.
func (f *fold) marked(ctx context.Context, mark Mark) (subjects []uint64, err error) {
	if f.stored {
		if subjects, err = f.c.checkpoints.Marked(ctx, mark, abuse.MaxShared); err != nil {
			return nil, err
		}
	}
	if fresh := f.fresh[mark]; len(fresh) > 0 {
		subjects = slices.Compact(slices.Sorted(slices.Values(append(subjects, fresh...))))
	}
	return subjects[:min(len(subjects), abuse.MaxShared)], nil
}

// Devices returns what stands for the devices by which a subject came in the
// last days, each with the day, where at most so many people came by one.
func (c *Collector) Devices(ctx context.Context, subject uint64, most int) (marks []Mark, err error) {
	err = c.do(ctx, nil, func() error {
		var all []Mark
		if c.fold.stored {
			if all, err = c.checkpoints.MarksOf(ctx, subject); err != nil {
				return err
			}
		}
		if who, found := c.fold.people.find(subject); found {
			for _, d := range who.days {
				all = append(all, d.marks...)
			}
		}
		slices.SortFunc(all, func(a, b Mark) int { return bytes.Compare(a[:], b[:]) })
		for _, mark := range slices.Compact(all) {
			if mark[0] != deviceMark {
				continue
			}
			subjects, err := c.fold.marked(ctx, mark)
			if err != nil {
				return err
			}
			if len(subjects) <= most {
				marks = append(marks, mark)
			}
		}
		return nil
	})
	return marks, err
}

// unmark drops a subject from what no checkpoint has.
func (f *fold) unmark(subject uint64) {
	for mark, subjects := range f.fresh {
		f.fresh[mark] = slices.DeleteFunc(subjects, func(of uint64) bool { return of == subject })
	}
}
