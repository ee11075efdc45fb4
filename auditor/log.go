package auditor

// HorizonMS is how old behaviour may be when it arrives to count, and how long
// a message id is remembered: seven days.
const HorizonMS = 7 * dayMS

// Kind is what was reported.
type Kind uint8

// The kinds of reports.
const (
	Beat Kind = iota
	Act
	Purchase
	Refund
)

// Report is what a world says that a person did.
type Report struct {
	ID     string // of the message; no other message has it
	World  uint32
	Person string
	// Server says that the world's server reports it; a client is believed
	// only inside a session.
	Server bool
	Kind   Kind
	// TimeMS is when it happened and SentMS when it was sent, by the client's
	// clock; SentMS is zero if it does not say.
	TimeMS, SentMS int64
	Order          string
	Minor          int64 // of a purchase or refund, in hundredths
	// AskedMS is the bank's clock when the request came.
	AskedMS int64
}

// Session vouches for a person, and for a device that is the person's.
type Session struct {
	World           uint32 // that opens it
	Person, Device  string
	FromMS, UntilMS int64
}

// entry is a report or a session that is durable.
type entry struct {
	report     *Report
	session    *Session
	late       bool
	waits      bool // for a session
	timeMS     int64
	receivedMS int64
	batch      int64
}

// Log is what has become durable of behaviour, in its order. It outlives
// crashes, as what is folded of it does not.
type Log struct {
	Policies   map[uint32]Policy
	entries    []entry
	arrived    map[string]int // message id → place of its entry
	batches    int64
	receivedMS int64 // of the last batch; never goes back
	saved      Checkpoint
	retention  map[uint32]*retention // by world
}

// NewLog returns an empty log.
func NewLog(policies map[uint32]Policy) *Log {
	return &Log{Policies: policies, arrived: map[string]int{}, retention: map[uint32]*retention{}}
}

// ArrivedMS returns when a message was taken in first.
func (l *Log) ArrivedMS(id string) (ms int64, found bool) {
	at, found := l.arrived[id]
	if !found {
		return 0, false
	}
	return l.entries[at].receivedMS, true
}

// ReceivedMS returns when the last batch was taken in; it never goes back.
func (l *Log) ReceivedMS() int64 { return l.receivedMS }

// happened fixes when a report happened: a clock that is ahead is set back.
func (r *Report) happened() int64 {
	at := r.TimeMS
	if r.SentMS > r.AskedMS {
		at -= r.SentMS - r.AskedMS
	}
	return min(at, r.AskedMS)
}

// Reaches takes in what became durable as one batch, by a program that has
// folded so far, when the clock stood at clockMS.
func (l *Log) Reaches(f *Fold, clockMS int64, reports []Report, sessions []Session) {
	l.batches++
	l.receivedMS = max(l.receivedMS, clockMS)
	f.timeMS = l.receivedMS
	take := func(e entry) {
		e.batch, e.receivedMS = l.batches, l.receivedMS
		l.entries = append(l.entries, e)
		f.fold(&e)
	}
	for i := range sessions {
		take(entry{session: &sessions[i]})
	}
	for i := range reports {
		r := reports[i]
		if _, arrived := l.arrived[r.ID]; arrived {
			continue
		}
		e := entry{report: &r, timeMS: r.happened()}
		e.late = e.timeMS < l.receivedMS-HorizonMS
		e.waits = !e.late && !r.Server && !f.covers(f.Target(r.Person), e.timeMS)
		l.arrived[r.ID] = len(l.entries)
		take(e)
	}
}

// Checkpoint is what a program has saved of its fold: how far, and what time
// alone has done to it.
type Checkpoint struct {
	entries   int
	purchases []purchase
	revisions map[dayKey]revision
}

// Save notes that a program has saved its fold, which had come to the end of
// the log that it knew.
func (l *Log) Save(f *Fold) {
	l.saved = Checkpoint{entries: f.entries, purchases: append([]purchase(nil), f.purchases...), revisions: map[dayKey]revision{}}
	for key, d := range f.days {
		l.saved.revisions[key] = d.revision
	}
}

// Recover folds the log again, as a program does that starts.
func (l *Log) Recover() *Fold {
	f := newFold(l.Policies)
	f.timeMS = l.receivedMS
	for i := range l.entries {
		if i == l.saved.entries {
			f.restore(l.saved)
		}
		f.fold(&l.entries[i])
	}
	if l.saved.entries == len(l.entries) {
		f.restore(l.saved)
	}
	return f
}
