package ledger

import (
	"encoding/binary"

	"github.com/attentionbank/attentionbank/pages"
)

// The open holds of a group form a doubly linked list through their places,
// newest first; heldGroups finds its head.

func groupHash(group [16]byte) uint64 {
	return pages.Mix(pages.Mix(0, binary.LittleEndian.Uint64(group[:])), binary.LittleEndian.Uint64(group[8:]))
}

func (b *Books) groupHead(group [16]byte) (place int, found bool) {
	return b.heldGroups.Find(groupHash(group), func(i int) bool { return b.holds.places.At(i).Group == group })
}

// group returns at most limit open holds of a group, newest first.
func (b *Books) group(group [16]byte, limit int) (numbers []uint64) {
	place, found := b.groupHead(group)
	for found && len(numbers) < limit {
		numbers = append(numbers, b.holds.number(place))
		next := b.holds.places.At(place).next
		place, found = int(next)-1, next != 0
	}
	return numbers
}

// Group returns the numbers of the open holds of a group, oldest first.
func (b *Books) Group(group [16]byte) []uint64 {
	numbers := b.group(group, MaxGroup)
	for i, j := 0, len(numbers)-1; i < j; i, j = i+1, j-1 {
		numbers[i], numbers[j] = numbers[j], numbers[i]
	}
	return numbers
}

func (b *Books) joinGroup(place int) {
	hold := b.holds.places.Write(place)
	if hold.Group == ([16]byte{}) {
		return
	}
	if head, found := b.groupHead(hold.Group); found {
		hold.next = uint32(head) + 1
		b.holds.places.Write(head).previous = uint32(place) + 1
		b.heldGroups.Remove(groupHash(hold.Group), head)
	}
	b.heldGroups.Insert(groupHash(hold.Group), place)
}

func (b *Books) leaveGroup(place int) {
	hold := b.holds.places.Write(place)
	if hold.Group == ([16]byte{}) {
		return
	}
	if hold.next != 0 {
		b.holds.places.Write(int(hold.next - 1)).previous = hold.previous
	}
	if hold.previous != 0 {
		b.holds.places.Write(int(hold.previous - 1)).next = hold.next
	} else {
		b.heldGroups.Remove(groupHash(hold.Group), place)
		if hold.next != 0 {
			b.heldGroups.Insert(groupHash(hold.Group), int(hold.next-1))
		}
	}
	hold.previous, hold.next = 0, 0
}
