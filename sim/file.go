package sim

// file is a file on a simulated disk, byte by byte. What was written and not
// synced is in the cache: a power cut keeps it, loses it or tears it.
type file struct {
	durable, cache []byte
	unsynced       []written
}

type written struct {
	at   int64
	data []byte
}

func newFile(size int) *file { return &file{durable: make([]byte, size), cache: make([]byte, size)} }

// sync makes durable what was written.
func (f *file) sync() {
	copy(f.durable, f.cache)
	f.unsynced = nil
}

// crash decides what becomes of what was not synced. It reports whether a
// write was lost and whether one was torn.
func (f *file) crash(random *draws) (lost, torn bool) {
	for _, w := range f.unsynced {
		switch random.below(3) {
		case 0:
			lost = true
		case 1:
			copy(f.durable[w.at:], w.data)
		case 2:
			torn = true
			copy(f.durable[w.at:], w.data[:random.below(len(w.data))])
		}
	}
	f.unsynced = nil
	copy(f.cache, f.durable)
	return lost, torn
}

// fileOf is a file as a process sees it.
type fileOf struct {
	*file
	p    *process
	name string
}

// ReadAt implements io.ReaderAt; the files are read in whole.
func (f fileOf) ReadAt(dst []byte, at int64) (int, error) {
	if f.p.off {
		return 0, errPower
	}
	return copy(dst, f.cache[at:]), nil
}

// WriteAt implements io.WriterAt.
func (f fileOf) WriteAt(src []byte, at int64) (int, error) {
	if f.p.off {
		return 0, errPower
	}
	f.unsynced = append(f.unsynced, written{at, append([]byte(nil), src...)})
	return copy(f.cache[at:], src), nil
}

// Sync implements journal.File. Being cut off in it loses or tears.
func (f fileOf) Sync() error {
	o := f.p.world.disk.write(f.p, f.name)
	if o.persisted {
		f.sync()
	}
	return o.err
}

// Close implements io.Closer.
func (f fileOf) Close() error { return nil }
