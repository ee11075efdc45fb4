package conduct

import "slices"

// The rules of farms: at least farmPeople earn alike (in farmDays of the last
// seven days within a tenth of their median) and pass TIME to the same one, or
// sold in the same hours, at least farmHours of them.
const (
	farmPeople   = 5
	farmDays     = 5
	farmHours    = 3
	farmWindow   = 7 // days
	farmPermille = 800
	// maxSources bounds the payers of a receiver that are remembered: one whom
	// more pay is a shop.
	maxSources = 500
	maxEarners = 1 << 20
)

// earner is what a person did in the last seven days, by day modulo seven.
type earner struct {
	person uint64
	points [farmWindow]int64
	days   [farmWindow]int64 // which day each place is of
	// soldIn are the hours in which the person sold, the oldest first.
	soldIn []int64
}

// source is who pays a receiver.
type source struct {
	person uint64
	lastMS int64
	micro  int64
}

// farms are all who earn, and all who are paid by several.
type farms struct {
	earners   []earner
	earnerAt  map[uint64]int
	receivers []receiver
	atOf      map[uint64]int
}

type receiver struct {
	person  uint64
	sources []source
	raised  int64 // day on which it was last told
}

func newFarms() farms { return farms{earnerAt: map[uint64]int{}, atOf: map[uint64]int{}} }

func (f *farms) of(person uint64) *earner {
	at, there := f.earnerAt[person]
	if !there {
		if len(f.earners) == maxEarners {
			*f = newFarms() // who goes on earning is known again tomorrow
		}
		at = len(f.earners)
		f.earnerAt[person] = at
		f.earners = append(f.earners, earner{person: person})
	}
	return &f.earners[at]
}

// Earned takes in what a person has earned of attention on a day, as a
// difference.
func (w *Watch) Earned(person uint64, day int64, pointsMicro int64) {
	e := w.farms.of(person)
	place := day % farmWindow
	if place < 0 {
		return
	}
	if e.days[place] != day {
		e.days[place], e.points[place] = day, 0
	}
	e.points[place] += pointsMicro
}

// Transferred takes in TIME that went from one person to another.
func (w *Watch) Transferred(from, to uint64, timeMicro, nowMS int64) {
	w.Advance(nowMS)
	if from == to || from == 0 || to == 0 {
		return
	}
	w.clusters.transferred(from, to)
	at, there := w.farms.atOf[to]
	if !there {
		if len(w.farms.receivers) == maxEarners {
			return
		}
		at = len(w.farms.receivers)
		w.farms.atOf[to] = at
		w.farms.receivers = append(w.farms.receivers, receiver{person: to, raised: -farmWindow})
	}
	r := &w.farms.receivers[at]
	i := slices.IndexFunc(r.sources, func(s source) bool { return s.person == from })
	switch {
	case i >= 0:
		r.sources[i].lastMS = w.nowMS
		r.sources[i].micro += timeMicro
	case len(r.sources) < maxSources:
		r.sources = append(r.sources, source{from, w.nowMS, timeMicro})
	}
}

// SoldTime takes in that a person sold TIME.
func (w *Watch) SoldTime(person uint64, nowMS int64) {
	w.Advance(nowMS)
	e, hour := w.farms.of(person), w.nowMS/hourMS
	if n := len(e.soldIn); n == 0 || e.soldIn[n-1] != hour {
		e.soldIn = append(e.soldIn, hour)
	}
}

// judgeFarms looks at the last seven days, at the end of each.
func (w *Watch) judgeFarms() {
	today := w.nowMS / dayMS
	w.judgeReceivers(today)
	w.judgeSellers(today)
}

func (w *Watch) judgeReceivers(today int64) {
	for i := range w.farms.receivers {
		r := &w.farms.receivers[i]
		r.sources = slices.DeleteFunc(r.sources, func(s source) bool { return s.lastMS < w.nowMS-farmWindow*dayMS })
		if len(r.sources) < farmPeople || today-r.raised < farmWindow {
			continue
		}
		var group []*earner
		var micro int64
		for _, s := range r.sources {
			if at, earns := w.farms.earnerAt[s.person]; earns {
				group = append(group, &w.farms.earners[at])
			}
			micro += s.micro
		}
		alike := earnAlike(group, today)
		if len(alike) < farmPeople || permille(int64(len(alike)), int64(len(r.sources))) < farmPermille {
			continue
		}
		r.raised = today
		w.raise(Alert{
			Kind: Farm, FromMS: w.nowMS - farmWindow*dayMS, ToMS: w.nowMS, People: append(alike, r.person),
			ScorePermille: permille(int64(len(alike)), int64(len(r.sources))),
			Evidence:      []Evidence{{"earn_alike", int64(len(alike))}, {"pay_the_same", int64(len(r.sources))}, {"paid_micro", micro}, {"paid_to_person", int64(r.person)}},
		})
	}
}

// earnAlike returns who of a group earned within a tenth of the group's median
// on at least farmDays of the last seven days.
func earnAlike(group []*earner, today int64) (people []uint64) {
	if len(group) < farmPeople {
		return nil
	}
	near := make([]int, len(group))
	for day := today - farmWindow; day < today; day++ {
		if day < 0 {
			continue
		}
		points := make([]int64, len(group))
		for i, e := range group {
			if e.days[day%farmWindow] == day {
				points[i] = e.points[day%farmWindow]
			}
		}
		sorted := slices.Sorted(slices.Values(points))
		median := sorted[(len(sorted)-1)/2]
		for i, p := range points {
			if median > 0 && max(p-median, median-p) <= median/10 {
				near[i]++
			}
		}
	}
	for i, e := range group {
		if near[i] >= farmDays {
			people = append(people, e.person)
		}
	}
	return people
}

// judgeSellers groups people by the hours in which they sold.
func (w *Watch) judgeSellers(today int64) {
	groups, order := map[[farmHours]int64][]*earner{}, [][farmHours]int64{}
	for i := range w.farms.earners {
		e := &w.farms.earners[i]
		e.soldIn = slices.DeleteFunc(e.soldIn, func(hour int64) bool { return hour*hourMS < w.nowMS-farmWindow*dayMS })
		if len(e.soldIn) < farmHours {
			continue
		}
		key := [farmHours]int64(e.soldIn[len(e.soldIn)-farmHours:])
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], e)
	}
	for _, key := range order {
		// Told when the last hour of it was the day that has just ended.
		if key[farmHours-1]*hourMS/dayMS != today-1 {
			continue
		}
		alike := earnAlike(groups[key], today)
		if len(alike) < farmPeople || permille(int64(len(alike)), int64(len(groups[key]))) < farmPermille {
			continue
		}
		w.raise(Alert{
			Kind: Farm, FromMS: w.nowMS - farmWindow*dayMS, ToMS: w.nowMS, People: alike,
			ScorePermille: permille(int64(len(alike)), int64(len(groups[key]))),
			Evidence:      []Evidence{{"earn_alike", int64(len(alike))}, {"sell_in_the_same_hours", int64(len(groups[key]))}},
		})
	}
}
