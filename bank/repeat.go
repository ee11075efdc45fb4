package bank

import "github.com/attentionbank/attentionbank/pages"

// How long and how many idempotency keys are remembered. Both bounds depend on
// commands only, so every replay forgets the same keys at the same record.
const (
	RepeatWindowMS = 24 * 60 * 60 * 1000
	MaxRepeats     = 1 << 22
)

// repeat is where the first answer to a key is.
type repeat struct {
	key    Key
	digest uint64
	atMS   int64
	seq    uint64
	index  uint32
}

// repeats is a ring: entry n of all time is at n modulo MaxRepeats.
type repeats struct {
	ring     pages.Array[repeat]
	position pages.Index
	oldest   uint64 // number of the oldest entry that is remembered
	next     uint64 // number of the next entry
}

func (k Key) hash() uint64 {
	return pages.Mix(pages.Mix(0, le.Uint64(k[:])), le.Uint64(k[8:]))
}

func (p *repeats) find(key Key) (repeat, bool) {
	i, found := p.position.Find(key.hash(), func(i int) bool { return p.ring.At(i).key == key })
	if !found {
		return repeat{}, false
	}
	return *p.ring.At(i), true
}

func (p *repeats) remember(r repeat) {
	if p.next-p.oldest == MaxRepeats {
		p.drop()
	}
	i := int(p.next % MaxRepeats)
	if i == p.ring.Len() {
		p.ring.Append(r)
	} else {
		*p.ring.Write(i) = r
	}
	p.position.Insert(r.key.hash(), i)
	p.next++
}

// forget drops the keys that have left the window. Its work is bounded by what
// was remembered before.
func (p *repeats) forget(nowMS int64) {
	for p.oldest < p.next && p.ring.At(int(p.oldest%MaxRepeats)).atMS <= nowMS-RepeatWindowMS {
		p.drop()
	}
}

func (p *repeats) drop() {
	i := int(p.oldest % MaxRepeats)
	p.position.Remove(p.ring.At(i).key.hash(), i)
	p.oldest++
}

// FirstAnswer returns where the answer is to the command that was given under
// a key, as long as that is remembered.
func (s *State) FirstAnswer(key Key) (seq uint64, index uint32, found bool) {
	first, found := s.repeats.find(key)
	return first.seq, first.index, found
}

// IsRepeat reports whether a command was given before under its idempotency key.
func (s *State) IsRepeat(command []byte) bool {
	if len(command) < 1+len(Key{}) || Key(command[1:17]) == (Key{}) {
		return false
	}
	first, found := s.repeats.find(Key(command[1:17]))
	return found && first.digest == digestOf(kind(command[0]), command[17:])
}

// digestOf is the 64-bit FNV-1a hash of a command without its key (Fowler,
// Noll and Vo, 1991). It tells a retry from another command by mistake; whoever
// contrives a collision gets the answer to a command of their own.
func digestOf(k kind, fields []byte) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	hash := (offset ^ uint64(k)) * uint64(prime)
	for _, b := range fields {
		hash = (hash ^ uint64(b)) * prime
	}
	return hash
}
