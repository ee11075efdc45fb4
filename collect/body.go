package collect

import (
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"slices"
)

// The body of a batch (little-endian):
//
//	| "ABEV" | version u8 = 3 | previous hash 32 | received i64 | entries u32 |
//	| form u8 | of form 0: entries | of form 1, when all of them were dropped: their root 32 |
//
// An entry is
//
//	| kind u8 | trust u8 | verdict u8 | rule u8 | world u32 | subject u64 |
//	| other u64 | digest 16 | policy version u32 | length u32 | sealed payload |
//
// kind is 0 for an event, 1 for a session, 2 for a link, 3 for an appeal and 4 for terms. other is the
// anonymous subject that a session unites with the subject, or 0; of a link the
// subject to whom the days of this one belong. The payload, sealed under the
// subject's key with the digest as additional data, is for an event
//
//	| time i64 | canonical bytes of the event |
//
// and for a session
//
//	| from i64 | until i64 |
//
// and for a link
//
//	| 1 begins, 2 ends, u8 |
//
// and for an appeal
//
//	| case u64 | text |
//
// and for the terms of a person what terms.go says.
//
// An entry that its world no longer keeps is
//
//	| 255 u8 | hash of the entry 32 |
//
// Batches are a chain of hashes that dropping leaves as it was: the hash of an
// entry is the SHA-256 of its 48 bytes before the payload and the SHA-256 of the
// payload; the root of a batch that of the hashes of its entries; the hash of a
// batch that of its 49 bytes before the form and the root. Each body holds the
// hash of the batch before, and the second head that of the last.
type entry struct {
	kind          entryKind
	trust         Trust
	verdict       Verdict
	rule          Rule
	world         uint32
	subject       uint64
	other         uint64
	digest        digest
	policyVersion uint32
	sealed        []byte
	// sum is the SHA-256 of sealed; of a dropped entry the hash of the entry.
	sum [32]byte
}

type entryKind uint8

const (
	eventEntry entryKind = iota
	sessionEntry
	linkEntry
	appealEntry
	termsEntry

	entryKinds // behind the last

	droppedEntry entryKind = 255
)

// digest stands for a message id of a source.
type digest [16]byte

const (
	bodyMagic    = "ABEV"
	bodyVersion  = 3
	bodyHeader   = 4 + 1 + 32 + 8 + 4
	entryHeader  = 4 + 4 + 8 + 8 + 16 + 4 + 4
	droppedBytes = 1 + 32

	formEntries = 0
	formRoot    = 1
)

// draft is the body of a batch while its entries are added.
type draft struct {
	body    []byte
	hashes  []byte // of the entries
	entries uint32
	scratch [entryHeader + 32]byte
}

func newDraft(previous [32]byte, receivedMS int64) *draft {
	body := append(append([]byte(bodyMagic), bodyVersion), previous[:]...)
	body = binary.LittleEndian.AppendUint64(body, uint64(receivedMS))
	return &draft{body: append(body, 0, 0, 0, 0, formEntries)}
}

// add adds an entry whose sum is filled in.
func (d *draft) add(e *entry) {
	d.body = e.appendTo(d.body)
	sum := e.hash(&d.scratch)
	d.hashes = append(d.hashes, sum[:]...)
	d.entries++
}

// finish returns the body and its hash.
func (d *draft) finish() (body []byte, hash [32]byte) {
	binary.LittleEndian.PutUint32(d.body[bodyHeader-4:], d.entries)
	return d.body, hashBody(d.body, sha256.Sum256(d.hashes))
}

func hashBody(body []byte, root [32]byte) [32]byte {
	var b [bodyHeader + 32]byte
	copy(b[copy(b[:], body[:bodyHeader]):], root[:])
	return sha256.Sum256(b[:])
}

func (e *entry) appendHeader(dst []byte) []byte {
	le := binary.LittleEndian
	dst = append(dst, uint8(e.kind), uint8(e.trust), uint8(e.verdict), uint8(e.rule))
	dst = le.AppendUint64(le.AppendUint32(dst, e.world), e.subject)
	dst = append(le.AppendUint64(dst, e.other), e.digest[:]...)
	return le.AppendUint32(le.AppendUint32(dst, e.policyVersion), uint32(len(e.sealed)))
}

func (e *entry) appendTo(dst []byte) []byte {
	if e.kind == droppedEntry {
		return append(append(dst, uint8(droppedEntry)), e.sum[:]...)
	}
	return append(e.appendHeader(dst), e.sealed...)
}

// hash names what an entry is or was.
func (e *entry) hash(scratch *[entryHeader + 32]byte) [32]byte {
	if e.kind == droppedEntry {
		return e.sum
	}
	return sha256.Sum256(append(e.appendHeader(scratch[:0]), e.sum[:]...))
}

// isBehaviour reports whether an entry is of what worlds keep for a time only: what
// people did and when they were there. What they have decided stays.
func (e *entry) isBehaviour() bool { return e.kind == eventEntry || e.kind == sessionEntry }

// previous returns the hash of the batch before, once it has checked that the
// batch begins as one that was received when its store says.
func (b Batch) previous() (hash [32]byte, err error) {
	if len(b.Body) <= bodyHeader || string(b.Body[:4]) != bodyMagic || b.Body[4] != bodyVersion {
		return hash, damaged(b.Seq, "it does not begin as a batch of version %d", bodyVersion)
	}
	if receivedMS := int64(binary.LittleEndian.Uint64(b.Body[37:])); receivedMS != b.ReceivedMS {
		return hash, damaged(b.Seq, "it says that it was received at %d ms and stands in the log at %d ms", receivedMS, b.ReceivedMS)
	}
	return [32]byte(b.Body[5:37]), nil
}

// count returns how many entries a batch has or had. Its beginning was checked.
func (b Batch) count() uint32 { return binary.LittleEndian.Uint32(b.Body[bodyHeader-4:]) }

// hash names a batch and all before it, whatever of it was dropped.
func (b Batch) hash() (hash [32]byte, err error) {
	if _, err := b.previous(); err != nil {
		return hash, err
	}
	if b.Body[bodyHeader] == formRoot {
		root, err := b.root()
		return hashBody(b.Body, root), err
	}
	hashes := make([]byte, 0, min(int(b.count()), len(b.Body)/droppedBytes)*32)
	var scratch [entryHeader + 32]byte
	for e, err := range b.entries() {
		if err != nil {
			return hash, err
		}
		if e.kind != droppedEntry {
			e.sum = sha256.Sum256(e.sealed)
		}
		sum := e.hash(&scratch)
		hashes = append(hashes, sum[:]...)
	}
	return hashBody(b.Body, sha256.Sum256(hashes)), nil
}

// root returns the root of a batch all of whose entries were dropped.
func (b Batch) root() (root [32]byte, err error) {
	rest := b.Body[bodyHeader+1:]
	if len(rest) != len(root) || b.count() == 0 {
		return root, damaged(b.Seq, "it is said to be dropped, and %d bytes are left of %d entries", len(rest), b.count())
	}
	return [32]byte(rest), nil
}

// entries yields the entries of a batch in order; dropped ones have no more than
// their hash, and of a batch that was dropped whole there are none. Sums are not
// filled in.
func (b Batch) entries() iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		if _, err := b.previous(); err != nil {
			yield(entry{}, err)
			return
		}
		src, count := b.Body[bodyHeader+1:], b.count()
		switch b.Body[bodyHeader] {
		case formEntries:
		case formRoot:
			if _, err := b.root(); err != nil {
				yield(entry{}, err)
			}
			return
		default:
			yield(entry{}, damaged(b.Seq, "its form is %d", b.Body[bodyHeader]))
			return
		}
		for i := range count {
			e, rest, fits := readEntry(src)
			if !fits {
				yield(entry{}, damaged(b.Seq, "entry %d of %d is cut off or of no kind that there is", i, count))
				return
			}
			if src = rest; !yield(e, nil) {
				return
			}
		}
		if len(src) != 0 {
			yield(entry{}, damaged(b.Seq, "%d bytes are left over", len(src)))
		}
	}
}

// readEntry reads the first entry of src.
func readEntry(src []byte) (e entry, rest []byte, fits bool) {
	le := binary.LittleEndian
	if len(src) >= droppedBytes && entryKind(src[0]) == droppedEntry {
		return entry{kind: droppedEntry, sum: [32]byte(src[1:droppedBytes])}, src[droppedBytes:], true
	}
	if len(src) < entryHeader || entryKind(src[0]) >= entryKinds || uint64(len(src)-entryHeader) < uint64(le.Uint32(src[entryHeader-4:])) {
		return e, nil, false
	}
	e = entry{
		kind: entryKind(src[0]), trust: Trust(src[1]), verdict: Verdict(src[2]), rule: Rule(src[3]),
		world: le.Uint32(src[4:]), subject: le.Uint64(src[8:]), other: le.Uint64(src[16:]),
		digest: digest(src[24:40]), policyVersion: le.Uint32(src[40:]),
	}
	end := entryHeader + int(le.Uint32(src[44:]))
	e.sealed = src[entryHeader:end:end]
	return e, src[end:], true
}

// shortened is a batch without what is kept no longer.
type shortened struct {
	Batch
	dropped int // entries
	// gone are the subjects of whom nothing is left in the batch; some twice.
	gone []uint64
}

// without returns the batch without the events and sessions of the worlds that
// drops names. Its hash is the same. A batch of which nothing is left but hashes
// becomes their root.
func (b Batch) without(drops func(world uint32) bool) (left shortened, err error) {
	left.Batch = b
	d := draft{}
	var scratch [entryHeader + 32]byte
	stay := map[uint64]bool{}
	kept := false
	for e, err := range b.entries() {
		if err != nil {
			return left, err
		}
		if e.isBehaviour() && drops(e.world) {
			left.gone = append(left.gone, e.subject, e.other)
			e.sum = sha256.Sum256(e.sealed)
			e = entry{kind: droppedEntry, sum: e.hash(&scratch)}
			left.dropped++
		}
		if e.kind == droppedEntry {
			d.hashes = append(d.hashes, e.sum[:]...)
		} else {
			kept, stay[e.subject], stay[e.other] = true, true, true
		}
		d.body = e.appendTo(d.body)
	}
	if left.dropped == 0 {
		return left, nil
	}
	left.gone = slices.DeleteFunc(left.gone, func(subject uint64) bool { return subject == 0 || stay[subject] })
	body := append([]byte(nil), b.Body[:bodyHeader]...)
	if kept {
		left.Body = append(append(body, formEntries), d.body...)
	} else {
		root := sha256.Sum256(d.hashes)
		left.Body = append(append(body, formRoot), root[:]...)
	}
	return left, nil
}
