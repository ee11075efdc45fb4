package market

import (
	"math/bits"

	"github.com/attentionbank/attentionbank/pages"
)

// A ladder holds the price levels of one side of a book. It is a trie over the
// bits of the price, six at a time: a node knows which of its 64 children are
// there, so the nearest level on either side is found by counting zeros. The
// root is only as high as the spread of prices needs, and a book whose prices
// lie close together is two or three nodes deep whatever their size.
type ladder struct {
	root   uint32 // node + 1; 0 while the side is empty
	height uint32 // nodes from the root to a leaf
	prefix int64  // what all prices of the side are above the root's bits
	best   uint32 // level + 1
}

const (
	nodeBits = 6
	nodeMask = 1<<nodeBits - 1
)

// node is one step of the trie; in a leaf the children are levels.
type node struct {
	bits     uint64
	parent   uint32 // node + 1
	index    uint32 // among the parent's children; next free node when free
	children [1 << nodeBits]uint32
}

// level is a queue of orders at one price.
type level struct {
	price    int64
	quantity int64  // the sum of what is open
	head     uint32 // places + 1
	tail     uint32
	count    uint32
	leaf     uint32 // node + 1; next free level when free
}

// ladders keeps the nodes and levels of all books of an exchange, so that an
// empty book costs nothing. All of it is derived from the orders.
type ladders struct {
	nodes     pages.Array[node]
	levels    pages.Array[level]
	freeNode  uint32
	freeLevel uint32
}

func (l *ladders) newNode() uint32 {
	if l.freeNode == 0 {
		return uint32(l.nodes.Append(node{})) + 1
	}
	n := l.freeNode
	free := l.nodes.Write(int(n - 1))
	l.freeNode = free.index
	free.index = 0
	return n
}

// releaseNode takes an empty node: its children are all zero.
func (l *ladders) releaseNode(n uint32, empty *node) {
	empty.parent, empty.index = 0, l.freeNode
	l.freeNode = n
}

// find returns the level of a price, 0 if there is none.
func (l *ladders) find(d *ladder, price int64) uint32 {
	if d.root == 0 || price>>(d.height*nodeBits) != d.prefix {
		return 0
	}
	n := d.root
	for shift := (d.height - 1) * nodeBits; ; shift -= nodeBits {
		n = l.nodes.At(int(n - 1)).children[price>>shift&nodeMask]
		if n == 0 || shift == 0 {
			return n
		}
	}
}

// insert adds a level for a price that has none and returns it.
func (l *ladders) insert(d *ladder, side Side, price int64) uint32 {
	if d.root == 0 {
		d.root, d.height, d.prefix = l.newNode(), 1, price>>nodeBits
	}
	for price>>(d.height*nodeBits) != d.prefix {
		n := l.newNode()
		top := l.nodes.Write(int(n - 1))
		i := uint32(d.prefix & nodeMask)
		top.bits, top.children[i] = 1<<i, d.root
		below := l.nodes.Write(int(d.root - 1))
		below.parent, below.index = n, i
		d.root, d.height, d.prefix = n, d.height+1, d.prefix>>nodeBits
	}
	n := d.root
	for shift := (d.height - 1) * nodeBits; shift > 0; shift -= nodeBits {
		i := uint32(price >> shift & nodeMask)
		child := l.nodes.At(int(n - 1)).children[i]
		if child == 0 {
			child = l.newNode()
			parent := l.nodes.Write(int(n - 1))
			parent.bits |= 1 << i
			parent.children[i] = child
			below := l.nodes.Write(int(child - 1))
			below.parent, below.index = n, i
		}
		n = child
	}
	at := l.newLevel(level{price: price, leaf: n})
	leaf := l.nodes.Write(int(n - 1))
	leaf.bits |= 1 << (price & nodeMask)
	leaf.children[price&nodeMask] = at
	if d.best == 0 || side.reaches(price, l.levels.At(int(d.best-1)).price) {
		d.best = at
	}
	return at
}

func (l *ladders) newLevel(v level) uint32 {
	if l.freeLevel == 0 {
		return uint32(l.levels.Append(v)) + 1
	}
	at := l.freeLevel
	free := l.levels.Write(int(at - 1))
	l.freeLevel = free.leaf
	*free = v
	return at
}

// remove takes an empty level off the ladder.
func (l *ladders) remove(d *ladder, side Side, at uint32) {
	v := l.levels.Write(int(at - 1))
	n, i := v.leaf, uint32(v.price&nodeMask)
	*v = level{leaf: l.freeLevel}
	l.freeLevel = at
	for {
		from := l.nodes.Write(int(n - 1))
		from.children[i] = 0
		from.bits &^= 1 << i
		if from.bits != 0 {
			break
		}
		parent, index := from.parent, from.index
		l.releaseNode(n, from)
		if n == d.root {
			*d = ladder{}
			return
		}
		n, i = parent, index
	}
	// A root with a single child covers more than there is.
	for d.height > 1 {
		top := l.nodes.Write(int(d.root - 1))
		if top.bits&(top.bits-1) != 0 {
			break
		}
		i := bits.TrailingZeros64(top.bits)
		child := top.children[i]
		top.children[i], top.bits = 0, 0
		l.releaseNode(d.root, top)
		l.nodes.Write(int(child - 1)).parent = 0
		d.root, d.height, d.prefix = child, d.height-1, d.prefix<<nodeBits|int64(i)
	}
	if d.best == at {
		d.best = l.outermost(d.root, d.height, side)
	}
}

// outermost returns the best level under a node: the highest price of buyers,
// the lowest of sellers.
func (l *ladders) outermost(n, height uint32, side Side) uint32 {
	for ; height > 0; height-- {
		at := l.nodes.At(int(n - 1))
		if side == Buy {
			n = at.children[63-bits.LeadingZeros64(at.bits)]
		} else {
			n = at.children[bits.TrailingZeros64(at.bits)]
		}
	}
	return n
}

// worse returns the next level after a level, away from the best; 0 at the end.
func (l *ladders) worse(at uint32, side Side) uint32 {
	v := l.levels.At(int(at - 1))
	n, i := v.leaf, uint32(v.price&nodeMask)
	for height := uint32(0); n != 0; height++ {
		from := l.nodes.At(int(n - 1))
		rest := from.bits & (1<<i - 1)
		if side == Sell {
			rest = from.bits &^ (1<<i | (1<<i - 1))
		}
		if rest != 0 {
			next := bits.TrailingZeros64(rest)
			if side == Buy {
				next = 63 - bits.LeadingZeros64(rest)
			}
			return l.outermost(from.children[next], height, side)
		}
		n, i = from.parent, from.index
	}
	return 0
}
