// Package pages holds records in small dense pages without pointers, so that a
// state of millions of records costs the garbage collector nothing, grows
// without moving what is there, and can be frozen for a snapshot while its
// owner goes on writing.
package pages

// perPage is the number of records of a page. It is small because the first
// write to a page after a freeze copies it: 64 records keep that copy far
// below a microsecond, so a freeze never stalls the writer.
const perPage = 64

// Array is a growing sequence of records. Its records must hold no pointers.
// One goroutine owns an Array; views made by Freeze may be read by others.
// The zero value is empty and ready.
type Array[T any] struct {
	pages []*[perPage]T
	// written[p] is the freeze count at which page p was last private to the
	// owner; a page with an older count is shared with a view.
	written []uint32
	freezes uint32
	length  int
}

// Len returns the number of records.
func (a *Array[T]) Len() int { return a.length }

// At returns record i for reading. The pointer is valid until the next write.
func (a *Array[T]) At(i int) *T {
	if uint(i) >= uint(a.length) {
		panic("pages: index out of range")
	}
	// Unsigned: to divide what may be negative takes the processor longer, and
	// this is every access to the state.
	return &a.pages[uint(i)/perPage][uint(i)%perPage]
}

// Write returns record i for writing; if a view shares its page, the page is
// copied first. The pointer is valid until the next Freeze.
func (a *Array[T]) Write(i int) *T {
	if uint(i) >= uint(a.length) {
		panic("pages: index out of range")
	}
	return &a.private(uint(i) / perPage)[uint(i)%perPage]
}

// Append adds a record at the end and returns its index.
func (a *Array[T]) Append(record T) int {
	i := a.length
	if i%perPage == 0 {
		a.pages = append(a.pages, new([perPage]T))
		a.written = append(a.written, a.freezes)
	}
	a.private(uint(i) / perPage)[uint(i)%perPage] = record
	a.length++
	return i
}

// Truncate removes the records from n on.
func (a *Array[T]) Truncate(n int) {
	kept := (n + perPage - 1) / perPage
	clear(a.pages[kept:])
	a.pages, a.written, a.length = a.pages[:kept], a.written[:kept], n
}

func (a *Array[T]) private(p uint) *[perPage]T {
	if a.written[p] != a.freezes {
		page := *a.pages[p]
		a.pages[p] = &page
		a.written[p] = a.freezes
	}
	return a.pages[p]
}

// Freeze returns a view of the records as they are now. It costs one pointer a
// page; the owner may write at once.
func (a *Array[T]) Freeze() View[T] {
	a.freezes++
	return View[T]{pages: append([]*[perPage]T(nil), a.pages...), length: a.length}
}

// View is an unchanging copy of an Array, safe for use by any goroutine.
type View[T any] struct {
	pages  []*[perPage]T
	length int
}

// Len returns the number of records.
func (v View[T]) Len() int { return v.length }

// At returns record i for reading.
func (v View[T]) At(i int) *T {
	if uint(i) >= uint(v.length) {
		panic("pages: index out of range")
	}
	return &v.pages[uint(i)/perPage][uint(i)%perPage]
}
