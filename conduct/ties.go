package conduct

// Tie says why two people count as one.
type Tie uint8

// The ties.
const (
	// ByDevice: both came by the same device on the same day.
	ByDevice Tie = iota
	// ByPayee: both are paid out to the same account at a bank.
	ByPayee
	// ByTransfers: they made transfers to each other again and again.
	ByTransfers

	tieKinds
)

var tieNames = [tieKinds]string{"tied_by_device", "tied_by_payee", "tied_by_transfers"}

// Mark stands for something that people have in common and does not say what
// it is: it was made under a secret.
type Mark struct {
	Tie  Tie
	Name [16]byte
}

// Ties says what people have in common.
type Ties interface {
	// Marks returns the marks of a person as far as they are known now. What
	// very many have in common, as in a school, is not among them.
	Marks(person uint64) []Mark
}

// maxMarks bounds the marks whose bearers are remembered; beyond that all are
// forgotten, and learned again as people place orders.
const maxMarks = 1 << 20

// learned is what was asked of Ties.
type learned struct {
	ties    Ties
	asked   map[uint64]int64 // by person, in which hour last
	bearers map[Mark]uint64  // one of those who have it
}

// learn ties whoever places an order to those who have something in common with
// them. It asks once an hour of the person: people come by further devices.
func (l *learned) learn(w *Watch, person uint64, timeMS int64) {
	hour := timeMS / hourMS
	if last, known := l.asked[person]; l.ties == nil || known && last == hour {
		return
	}
	if l.asked == nil || len(l.asked) >= maxOwners || len(l.bearers) >= maxMarks {
		l.asked, l.bearers = map[uint64]int64{}, map[Mark]uint64{}
	}
	l.asked[person] = hour
	for _, mark := range l.ties.Marks(person) {
		if other, met := l.bearers[mark]; met {
			w.Link(other, person, mark.Tie)
		} else {
			l.bearers[mark] = person
		}
	}
}
