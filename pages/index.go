package pages

// shards divide an Index so that growing rehashes one part in a thousand at a
// time: at ten million entries the longest pause is some tens of microseconds.
const shards = 1024

// Index finds the position of a record by its key. It keeps positions and
// parts of hashes only; the keys stay in the records, and the caller compares
// them. It is rebuilt from the records after a restore, so its layout is no
// part of any state. The zero value is empty and ready.
type Index struct {
	shards [shards]shard
	length int
}

// shard is an open-addressing table with linear probing. len(slots) is zero or
// a power of two, and at most three quarters are used.
type shard struct {
	slots []slot
	used  int
}

// slot holds position+1 (zero means empty) and the upper half of the hash.
type slot struct {
	tag      uint32
	position uint32
}

// Len returns the number of entries.
func (x *Index) Len() int { return x.length }

// Find returns the position of the entry with this hash for which same reports
// true.
func (x *Index) Find(hash uint64, same func(position int) bool) (position int, found bool) {
	s := &x.shards[hash%shards]
	if len(s.slots) == 0 {
		return 0, false
	}
	tag, mask := uint32(hash>>32), len(s.slots)-1
	for i := s.home(tag); ; i = (i + 1) & mask {
		entry := s.slots[i]
		if entry.position == 0 {
			return 0, false
		}
		if entry.tag == tag && same(int(entry.position-1)) {
			return int(entry.position - 1), true
		}
	}
}

// Insert adds an entry. The caller knows that its key is not there yet.
// Positions go up to 2^32-2.
func (x *Index) Insert(hash uint64, position int) {
	if uint64(position) >= 1<<32-1 {
		panic("pages: an index holds at most 2^32-1 records")
	}
	s := &x.shards[hash%shards]
	if s.used*4 >= len(s.slots)*3 {
		s.grow()
	}
	s.place(slot{tag: uint32(hash >> 32), position: uint32(position) + 1})
	s.used++
	x.length++
}

// Remove deletes the entry of this hash and position and reports whether it
// was there.
func (x *Index) Remove(hash uint64, position int) bool {
	s := &x.shards[hash%shards]
	if len(s.slots) == 0 {
		return false
	}
	want := slot{tag: uint32(hash >> 32), position: uint32(position) + 1}
	mask := len(s.slots) - 1
	for i := s.home(want.tag); s.slots[i].position != 0; i = (i + 1) & mask {
		if s.slots[i] == want {
			s.closeGap(i)
			s.used--
			x.length--
			return true
		}
	}
	return false
}

func (s *shard) home(tag uint32) int { return int(tag) & (len(s.slots) - 1) }

func (s *shard) place(entry slot) {
	i, mask := s.home(entry.tag), len(s.slots)-1
	for s.slots[i].position != 0 {
		i = (i + 1) & mask
	}
	s.slots[i] = entry
}

func (s *shard) grow() {
	old := s.slots
	s.slots = make([]slot, max(8, 2*len(old)))
	for _, entry := range old {
		if entry.position != 0 {
			s.place(entry)
		}
	}
}

// closeGap empties slot gap and moves later entries of the same run back, so
// that no probe ends early. An entry may move only if its home is not between
// the gap and itself.
func (s *shard) closeGap(gap int) {
	mask := len(s.slots) - 1
	for i := (gap + 1) & mask; s.slots[i].position != 0; i = (i + 1) & mask {
		if (i-s.home(s.slots[i].tag))&mask >= (i-gap)&mask {
			s.slots[gap] = s.slots[i]
			gap = i
		}
	}
	s.slots[gap] = slot{}
}

// Mix folds a word into a hash. Chain it over the words of a key, starting
// from zero. It is the multiply-xorshift finalizer of SplitMix64 (Steele, Lea
// and Flood, 2014), the same on every machine.
func Mix(hash, word uint64) uint64 {
	hash = (hash ^ word) + 0x9e3779b97f4a7c15
	hash = (hash ^ hash>>30) * 0xbf58476d1ce4e5b9
	hash = (hash ^ hash>>27) * 0x94d049bb133111eb
	return hash ^ hash>>31
}
