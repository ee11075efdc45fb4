package auditor

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// retention is for how long a world keeps what it reports, and what purges have
// made of that.
type retention struct {
	keepMS int64 // 0 if nothing was set: longer than any simulation
	// What arrived before mayMS may be gone, what arrived before mustMS must be.
	mayMS, mustMS int64
}

func (l *Log) of(world uint32) *retention {
	if l.retention[world] == nil {
		l.retention[world] = &retention{}
	}
	return l.retention[world]
}

// Keep lets a world keep its events and sessions for a number of days after they
// arrived, from now on, and reports whether that may be.
func (l *Log) Keep(world uint32, days int64) bool {
	if days*dayMS < HorizonMS || days > 3650 {
		return false
	}
	l.of(world).keepMS = days * dayMS
	return true
}

// Purged says that a purge has come to its end that was asked for when the clock
// stood at askedMS. What is over is gone to the end of an hour, and the log may
// be up to an hour behind the clock.
func (l *Log) Purged(askedMS int64) {
	const hourMS = 3_600_000
	for _, r := range l.retention {
		if r.keepMS > 0 {
			r.mayMS = max(r.mayMS, l.receivedMS-r.keepMS)
			r.mustMS = max(r.mustMS, min(askedMS, l.receivedMS)-r.keepMS-2*hourMS)
		}
	}
}

// digest is what stands for a message in the log of events.
func (r *Report) digest() (d [16]byte) {
	trust := byte(1)
	if r.Server {
		trust = 2
	}
	sum := sha256.Sum256(append(append(binary.LittleEndian.AppendUint32(nil, r.World), trust), r.ID...))
	copy(d[:], sum[:])
	return d
}

// kept is an entry that a batch has, or that it should have. Of a session only
// is known that it is one.
type kept struct {
	world  uint32
	digest [16]byte
}

// readBatch reads which entries a batch still has and how many it ever had, by
// docs/formats/events.md.
func readBatch(body []byte) (left map[kept]int, count int, err error) {
	const header, entry = 4 + 1 + 32 + 8 + 4, 48
	if len(body) <= header {
		return nil, 0, errors.New("it is too short")
	}
	le, left := binary.LittleEndian, map[kept]int{}
	count = int(le.Uint32(body[header-4:]))
	if body[header] == 1 {
		return left, count, nil
	}
	rest := body[header+1:]
	for range count {
		size := 1 + 32
		if len(rest) > 0 && rest[0] != 255 {
			if len(rest) < entry {
				return nil, 0, errors.New("an entry is too short")
			}
			k := kept{world: le.Uint32(rest[4:])}
			if rest[0] == 0 {
				copy(k.digest[:], rest[24:])
			}
			left[k]++
			size = entry + int(le.Uint32(rest[44:]))
		}
		if len(rest) < size {
			return nil, 0, errors.New("an entry is too short")
		}
		rest = rest[size:]
	}
	return left, count, nil
}

// CompareKept requires that of what arrived, and that alone, the bodies of the
// batches have what is to be kept, and nothing of what is over. It returns how
// many entries are gone.
func (l *Log) CompareKept(bodies [][]byte) (gone uint64, err error) {
	if int64(len(bodies)) != l.batches {
		return 0, fmt.Errorf("the log has %d batches, the auditor says %d", len(bodies), l.batches)
	}
	next := 0
	for i, body := range bodies {
		left, count, err := readBatch(body)
		if err != nil {
			return 0, fmt.Errorf("batch %d: %w", i+1, err)
		}
		arrived, others := 0, 0
		for _, n := range left {
			others += n
		}
		for ; next < len(l.entries) && l.entries[next].batch == int64(i+1); next++ {
			arrived++
			e := &l.entries[next]
			k := kept{}
			if e.session != nil {
				k.world = e.session.World
			} else {
				k = kept{e.report.World, e.report.digest()}
			}
			isThere, r := left[k] > 0, l.of(k.world)
			switch {
			case !isThere && e.receivedMS >= r.mayMS:
				return 0, fmt.Errorf("an entry of world %d that arrived at %d in batch %d is gone; what arrived before %d may be", k.world, e.receivedMS, i+1, r.mayMS)
			case isThere && e.receivedMS < r.mustMS:
				return 0, fmt.Errorf("an entry of world %d that arrived at %d in batch %d is still there; what arrived before %d must be gone", k.world, e.receivedMS, i+1, r.mustMS)
			case isThere:
				left[k]--
				others--
			default:
				gone++
			}
		}
		if others > 0 || count != arrived {
			return 0, fmt.Errorf("batch %d had %d entries, the auditor says %d; %d of those that are left never arrived", i+1, count, arrived, others)
		}
	}
	return gone, nil
}
