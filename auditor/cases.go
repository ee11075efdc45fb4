package auditor

import "slices"

// AppealMS is how long a person may appeal against a decision: 30 days.
const AppealMS = 30 * dayMS

// Rate is the review rule that the auditor knows: more interactions than
// MoreThan within Seconds, a multiple of ten, hold back what a person is paid.
type Rate struct{ MoreThan, Seconds int64 }

// Status says where a case stands.
type Status string

// The statuses of a case.
const (
	Open      Status = "open"
	Released  Status = "released"
	Upheld    Status = "upheld"
	Appealed  Status = "appealed"
	Forfeited Status = "forfeited"
)

// Case is why TIME of a person is held back.
type Case struct {
	Status    Status
	HeldMicro int64
	ToDay     int64 // the last day that was found odd
	decidedMS int64
}

// Odd is a person's day that a rule finds odd.
type Odd struct {
	Person string
	Day    int64
}

// Odd returns the days on which more was done than the rule takes for possible,
// over all worlds.
func (f *Fold) Odd(rule Rate) (list []Odd) {
	for key, d := range f.days {
		var count [dayBuckets]int64
		for _, act := range d.acts {
			if act.milli > 0 { // and no purchase
				count[act.atMS/bucketMS]++
			}
		}
		for from := range count {
			sum := int64(0)
			for _, n := range count[from:min(from+int(rule.Seconds*1000/bucketMS), dayBuckets)] {
				sum += n
			}
			if sum > rule.MoreThan {
				list = append(list, Odd{key.person, key.number})
				break
			}
		}
	}
	slices.SortFunc(list, func(a, b Odd) int { return int(a.Day - b.Day) })
	return list
}

// Look opens cases for odd days. A day up to the last one of a case that was
// decided on opens none again, and while one is open, days join it.
func (e *Epochs) Look(days []Odd) {
	for _, odd := range days {
		last := e.lastCase(odd.Person)
		switch {
		case odd.Day > e.NowMS/dayMS+1: // has not come
		case last != nil && last.Status == Open:
			last.ToDay = max(last.ToDay, odd.Day)
		case last == nil || odd.Day > last.ToDay:
			e.Cases[odd.Person] = append(e.Cases[odd.Person], &Case{Status: Open, ToDay: odd.Day})
		}
	}
}

// lastCase returns the newest case of a person, or nil.
func (e *Epochs) lastCase(person string) *Case {
	list := e.Cases[person]
	if len(list) == 0 {
		return nil
	}
	return list[len(list)-1]
}

// pay pays a person, or holds it back while the last case is open.
func (e *Epochs) pay(person string, micro int64) {
	if last := e.lastCase(person); last != nil && last.Status == Open {
		last.HeldMicro += micro
		e.Held[person] += micro
		return
	}
	e.Time[person] += micro
}

// Decide lets an operator release a case or uphold it, and reports whether that
// may be: there is one operator.
func (e *Epochs) Decide(person string, number int, release bool) bool {
	c := e.Cases[person][number]
	switch {
	case c.Status != Open && c.Status != Appealed && !(c.Status == Upheld && release):
		return false
	case release:
		e.Time[person] += c.HeldMicro
		e.Held[person] -= c.HeldMicro
		c.Status = Released
	case c.Status == Appealed:
		e.burn(person, c)
	default:
		c.Status, c.decidedMS = Upheld, e.NowMS
	}
	return true
}

// Appeal asks that a case be looked at, or once more, and reports whether that
// may be.
func (e *Epochs) Appeal(person string, number int) bool {
	c := e.Cases[person][number]
	if c.Status == Upheld {
		c.Status = Appealed
	}
	return c.Status == Open || c.Status == Appealed
}

// forfeit ends the cases against which nobody has appealed in time.
func (e *Epochs) forfeit() {
	for person, list := range e.Cases {
		for _, c := range list {
			if c.Status == Upheld && c.decidedMS+AppealMS <= e.NowMS {
				e.burn(person, c)
			}
		}
	}
}

func (e *Epochs) burn(person string, c *Case) {
	c.Status = Forfeited
	e.Held[person] -= c.HeldMicro
	e.TimeBurned += c.HeldMicro
}
