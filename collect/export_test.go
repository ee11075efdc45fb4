package collect

// LoggedEntry is what a test sees of an entry in the log.
type LoggedEntry struct {
	World    uint32
	Subjects [2]uint64 // whose it is, and whom it is also about
	// OfBehaviour is an event or a session, which a world keeps for a time only.
	OfBehaviour, Dropped bool
}

// Entries returns the entries that a batch has or had; of one that was dropped
// whole no more than that they are.
func Entries(b Batch) (list []LoggedEntry, err error) {
	for e, err := range b.entries() {
		if err != nil {
			return nil, err
		}
		list = append(list, LoggedEntry{e.world, [2]uint64{e.subject, e.other}, e.isBehaviour(), e.kind == droppedEntry})
	}
	for uint32(len(list)) < b.count() {
		list = append(list, LoggedEntry{Dropped: true})
	}
	return list, nil
}

// Emptied returns a batch without its events and sessions.
func Emptied(b Batch) Batch {
	left, err := b.without(func(uint32) bool { return true })
	if err != nil {
		panic(err)
	}
	return left.Batch
}
