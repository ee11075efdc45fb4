package pages

// Fill adds many entries at once, as after a restore: entry returns the hash
// and the position of each of count. Where a key is there twice it stops and
// returns the two positions; same compares the records at two positions.
//
// Inserting in the order of records touches memory all over the index. Here the
// entries are first sorted by shard, and each shard is then filled while it is
// in the processor's cache.
func (x *Index) Fill(count int, entry func(i int) (hash uint64, position int), same func(a, b int) bool) (first, second int, twice bool) {
	if x.length != 0 {
		panic("pages: Fill of an index that has entries")
	}
	hashes := make([]uint64, count)
	var start [shards + 1]uint32
	for i := range hashes {
		hash, position := entry(i)
		if uint64(position) >= 1<<32-1 {
			panic("pages: an index holds at most 2^32-1 records")
		}
		hashes[i] = hash
		start[hash%shards+1]++
	}
	for n := range shards {
		start[n+1] += start[n]
	}
	sorted, next := make([]slot, count), start
	for i, hash := range hashes {
		_, position := entry(i)
		sorted[next[hash%shards]] = slot{tag: uint32(hash >> 32), position: uint32(position) + 1}
		next[hash%shards]++
	}
	for n := range x.shards {
		if a, b, twice := x.shards[n].fill(sorted[start[n]:start[n+1]], same); twice {
			return a, b, true
		}
	}
	x.length = count
	return 0, 0, false
}

// fill adds entries to an empty shard.
func (s *shard) fill(entries []slot, same func(a, b int) bool) (first, second int, twice bool) {
	if len(entries) == 0 {
		return 0, 0, false
	}
	size := 8
	for len(entries)*4 > size*3 {
		size *= 2
	}
	s.slots, s.used = make([]slot, size), len(entries)
	for _, entry := range entries {
		i, mask := s.home(entry.tag), size-1
		for ; s.slots[i].position != 0; i = (i + 1) & mask {
			there := s.slots[i]
			if there.tag == entry.tag && same(int(there.position-1), int(entry.position-1)) {
				return int(there.position - 1), int(entry.position - 1), true
			}
		}
		s.slots[i] = entry
	}
	return 0, 0, false
}
