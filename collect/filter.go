package collect

import (
	"encoding/binary"
	"math/bits"
)

// filter tells of a digest that it is certainly not in a block, or that it may
// be: a split block Bloom filter as Apache Parquet specifies it, of 16 bits a
// digest, wrong for about one in a thousand that are not there, with one line
// of the processor's cache a question.
type filter []uint32

const (
	filterBits = 16 // a digest
	blockWords = 8
)

// filterSalts are the odd numbers of Parquet's specification.
var filterSalts = [blockWords]uint32{0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31}

func filterWords(entries uint64) int {
	return max(int((entries*filterBits+blockWords*32-1)/(blockWords*32)), 1) * blockWords
}

func newFilter(entries uint64) filter { return make(filter, filterWords(entries)) }

// place returns the words of a digest and what chooses bits in them. A digest
// is a part of a cryptographic hash, so its bytes need no further mixing.
func (f filter) place(d digest) (words []uint32, key uint32) {
	n, _ := bits.Mul64(binary.LittleEndian.Uint64(d[8:]), uint64(len(f)/blockWords))
	return f[n*blockWords : (n+1)*blockWords], binary.LittleEndian.Uint32(d[4:])
}

func (f filter) add(d digest) {
	words, key := f.place(d)
	for i := range words {
		words[i] |= 1 << (key * filterSalts[i] >> 27)
	}
}

func (f filter) mayHave(d digest) bool {
	words, key := f.place(d)
	for i := range words {
		if words[i]&(1<<(key*filterSalts[i]>>27)) == 0 {
			return false
		}
	}
	return true
}
