package conduct

// maxCluster bounds a cluster: a hub that many people pay, such as a shop, must
// not make one cluster of all its customers.
const maxCluster = 64

// tieTransfers is how many transfers between two people tie them.
const tieTransfers = 3

// clusters are the people who count as one: a union-find (Tarjan, 1975) by size,
// with the members of each.
type clusters struct {
	parent  map[uint64]uint64
	members map[uint64][]uint64 // by root
	// transfers counts those between two people, the lesser number first.
	transfers map[[2]uint64]int8
	// ties count, by root, what made the cluster.
	ties map[uint64][tieKinds]int64
}

func newClusters() clusters {
	return clusters{parent: map[uint64]uint64{}, members: map[uint64][]uint64{}, transfers: map[[2]uint64]int8{}, ties: map[uint64][tieKinds]int64{}}
}

// of returns the one who stands for a person's cluster.
func (c *clusters) of(person uint64) uint64 {
	for {
		parent, tied := c.parent[person]
		if !tied {
			return person
		}
		person = parent
	}
}

// membersOf returns the people of a cluster by whom of returned.
func (c *clusters) membersOf(root uint64) []uint64 {
	if members := c.members[root]; members != nil {
		return members
	}
	return []uint64{root}
}

func (c *clusters) join(a, b uint64, by Tie) {
	a, b = c.of(a), c.of(b)
	if a == b || a == 0 || b == 0 {
		return
	}
	first, second := c.membersOf(a), c.membersOf(b)
	if len(first)+len(second) > maxCluster {
		return
	}
	if len(first) < len(second) || len(first) == len(second) && b < a {
		a, b, first, second = b, a, second, first
	}
	c.parent[b] = a
	c.members[a] = append(first[:len(first):len(first)], second...)
	delete(c.members, b)
	all := c.ties[a]
	for tie, count := range c.ties[b] {
		all[tie] += count
	}
	all[by]++
	c.ties[a] = all
	delete(c.ties, b)
}

// transferred notes a transfer between two people and ties them when it has
// become a habit.
func (c *clusters) transferred(from, to uint64) {
	pair := [2]uint64{min(from, to), max(from, to)}
	if from == to || c.transfers[pair] >= tieTransfers {
		return
	}
	c.transfers[pair]++
	if c.transfers[pair] == tieTransfers {
		c.join(from, to, ByTransfers)
	}
}
