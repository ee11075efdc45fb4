package bank

import "github.com/attentionbank/attentionbank/ledger"

// Books returns the ledger, for reading only.
func (s *State) Books() *ledger.Books { return s.books }

// Worlds returns the number of worlds; they are numbered from 1 on.
func (s *State) Worlds() uint32 { return uint32(len(s.worlds)) }

// World returns a world by its number, nil if there is none.
func (s *State) World(number uint32) *World {
	if number == 0 || int(number) > len(s.worlds) {
		return nil
	}
	return &s.worlds[number-1]
}

// WorldByCode returns the number of a world by its code.
func (s *State) WorldByCode(code string) (number uint32, found bool) {
	for i := range s.worlds {
		if s.worlds[i].Code == code {
			return uint32(i + 1), true
		}
	}
	return 0, false
}

// People returns the number of persons; they are numbered from 1 on.
func (s *State) People() uint64 { return uint64(s.people.Len()) }

// PersonID returns the opaque id of a person.
func (s *State) PersonID(number uint64) (id [16]byte, found bool) {
	if number == 0 || number > uint64(s.people.Len()) {
		return id, false
	}
	return *s.people.At(int(number - 1)), true
}

// PersonByID returns the number of a person by the opaque id; 0, which is
// nobody's, if there is none.
func (s *State) PersonByID(id [16]byte) (number uint64, found bool) {
	i, found := s.personOf.Find(Key(id).hash(), func(i int) bool { return *s.people.At(i) == id })
	if !found {
		return 0, false
	}
	return uint64(i + 1), true
}

// TimeAccount returns the account in which a person is paid.
func (s *State) TimeAccount(person uint64) (number uint64, found bool) {
	return s.books.Find(timeAccount(person))
}

// PointsOfWorldMicro returns the points of a person in one world that wait for
// the close of the running epoch and of the one that is being paid, and what the
// person owes of them.
func (s *State) PointsOfWorldMicro(person uint64, world uint32) (runningMicro, closingMicro, owedMicro int64) {
	key := s.pendingKey(person, world)
	runningMicro = s.balance(key)
	key.Sub ^= 1
	return runningMicro, s.balance(key), s.balance(receivable(person, world))
}

// PendingPointsMicro returns the points of a person that wait for the close of
// the running epoch and of the one that is being paid, over all worlds.
func (s *State) PendingPointsMicro(person uint64) (runningMicro, closingMicro int64) {
	for world := range s.Worlds() {
		key := s.pendingKey(person, world+1)
		runningMicro += s.balance(key)
		key.Sub ^= 1
		closingMicro += s.balance(key)
	}
	return runningMicro, closingMicro
}

// ReceivablePointsMicro returns what a person owes of points, over all worlds.
func (s *State) ReceivablePointsMicro(person uint64) (owedMicro int64) {
	for world := range s.Worlds() {
		owedMicro += s.balance(receivable(person, world+1))
	}
	return owedMicro
}

// Policies yields the versions of a world's policy, the oldest first.
func (s *State) Policies(world uint32) (versions []Policy) {
	for _, p := range s.policies {
		if p.World == world {
			versions = append(versions, p)
		}
	}
	return versions
}

// RunningEpoch returns the epoch that takes in points now.
func (s *State) RunningEpoch() Epoch { return s.epochs.running }

// ClosingEpoch returns the epoch that is being paid; Number is 0 if none is.
func (s *State) ClosingEpoch() (epoch Epoch, paid, accounts int) {
	e := &s.epochs
	return e.closing, e.paid, e.waiting[e.closing.Number&1].Len()
}

// NextMonetaryPolicy returns the policy that holds from the next epoch on.
func (s *State) NextMonetaryPolicy() MonetaryPolicy { return s.epochs.next }

// PendingMicro returns the points of a world that wait for the running epoch.
func (s *State) PendingMicro(world uint32) int64 {
	return s.World(world).pendingMicro[s.epochs.running.Number&1]
}
