package sqldb

import (
	"fmt"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// A VFS is what SQLite reaches files through. Ours stands in front of the
// system's: what it writes is encrypted, what it reads is decrypted, and all
// else (locks, syncs, shared memory, which holds numbers of pages only) is the
// system's. An open file of ours is (C layout)
//
//	| methods | number of its cipher | bytes that wait | the system's open file |
type vfsFile struct {
	methods uintptr
	cipher  uintptr
	waiting uintptr
}

// waitingBytes of a file are left to the system before it is asked to begin to
// write them. A sync would otherwise write many megabytes at once, and keep
// every other sync on the disk waiting, those of the journal too.
const waitingBytes = 256 << 10

var vfs struct {
	mu      sync.RWMutex
	names   map[[32]byte]string
	ciphers []xts
	system  uintptr // the system's VFS
	// first is the number of the first of the ciphers of each VFS, by address.
	first map[uintptr]int
}

// fileKinds have a cipher each; the order is that of vfs.ciphers.
var fileKinds = [...]string{"main", "wal", "journal"}

// encryptedVFS returns the name of the VFS under which files are encrypted by a
// key. There is one for each key, for as long as the process lives.
func encryptedVFS(key [32]byte) (string, error) {
	vfs.mu.Lock()
	defer vfs.mu.Unlock()
	if name, found := vfs.names[key]; found {
		return name, nil
	}
	tls := libc.NewTLS()
	defer tls.Close()
	if vfs.names == nil {
		vfs.names, vfs.first = map[[32]byte]string{}, map[uintptr]int{}
		if rc := sqlite3.Xsqlite3_initialize(tls); rc != sqlite3.SQLITE_OK {
			return "", fmt.Errorf("starting SQLite: code %d", rc)
		}
		vfs.system = sqlite3.Xsqlite3_vfs_find(tls, 0)
	}
	name := fmt.Sprintf("attentionbank-%d", len(vfs.names)+1)
	cName, err := libc.CString(name)
	if err != nil {
		return "", err
	}
	address := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	if address == 0 {
		return "", fmt.Errorf("registering a VFS: no memory")
	}
	ours := at[sqlite3.Tsqlite3_vfs](address)
	*ours = *at[sqlite3.Tsqlite3_vfs](vfs.system)
	ours.FszOsFile += int32(unsafe.Sizeof(vfsFile{}))
	ours.FpNext, ours.FzName = 0, cName
	ours.FxOpen = method(vfsOpen)
	vfs.first[address] = len(vfs.ciphers)
	for _, kind := range fileKinds {
		x, err := newXTS(key, kind)
		if err != nil {
			return "", err
		}
		vfs.ciphers = append(vfs.ciphers, x)
	}
	if rc := sqlite3.Xsqlite3_vfs_register(tls, address, 0); rc != sqlite3.SQLITE_OK {
		return "", fmt.Errorf("registering a VFS: code %d", rc)
	}
	vfs.names[key] = name
	return name, nil
}

// at returns what is at an address of SQLite's memory, which Go does not move.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// method returns what SQLite keeps of a function of the top level.
func method[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

// function returns the function that SQLite keeps.
func function[F any](method uintptr) F { return *(*F)(unsafe.Pointer(&method)) }

// bytesAt returns a buffer of SQLite's.
func bytesAt(address uintptr, length int32) []byte {
	return unsafe.Slice(at[byte](address), length)
}

// system returns the system's file behind one of ours, and its methods.
func system(file uintptr) (inner uintptr, methods *sqlite3.Tsqlite3_io_methods) {
	inner = file + unsafe.Sizeof(vfsFile{})
	return inner, at[sqlite3.Tsqlite3_io_methods](*at[uintptr](inner))
}

func cipherOf(file uintptr) xts {
	vfs.mu.RLock()
	defer vfs.mu.RUnlock()
	return vfs.ciphers[at[vfsFile](file).cipher]
}

type (
	openMethod = func(tls *libc.TLS, vfs, name, file uintptr, flags int32, outFlags uintptr) int32
	fileMethod = func(tls *libc.TLS, file uintptr) int32
	dataMethod = func(tls *libc.TLS, file, buffer uintptr, amount int32, offset int64) int32
	sizeMethod = func(tls *libc.TLS, file uintptr, size int64) int32
	flagMethod = func(tls *libc.TLS, file uintptr, flag int32) int32
	outMethod  = func(tls *libc.TLS, file, out uintptr) int32
	ctlMethod  = func(tls *libc.TLS, file uintptr, operation int32, argument uintptr) int32
	mapMethod  = func(tls *libc.TLS, file uintptr, page, size, extend int32, out uintptr) int32
	lockMethod = func(tls *libc.TLS, file uintptr, offset, n, flags int32) int32
	voidMethod = func(tls *libc.TLS, file uintptr)
)

// vfsMethods are the methods of our files. Version 2 has no mapping of files
// into memory, where nobody would decrypt.
var vfsMethods = sqlite3.Tsqlite3_io_methods{
	FiVersion:               2,
	FxClose:                 method[fileMethod](vfsClose),
	FxRead:                  method[dataMethod](vfsRead),
	FxWrite:                 method[dataMethod](vfsWrite),
	FxTruncate:              method[sizeMethod](vfsTruncate),
	FxSync:                  method[flagMethod](vfsSync),
	FxFileSize:              method[outMethod](vfsFileSize),
	FxLock:                  method[flagMethod](vfsLock),
	FxUnlock:                method[flagMethod](vfsUnlock),
	FxCheckReservedLock:     method[outMethod](vfsCheckReservedLock),
	FxFileControl:           method[ctlMethod](vfsFileControl),
	FxSectorSize:            method[fileMethod](vfsSectorSize),
	FxDeviceCharacteristics: method[fileMethod](vfsDeviceCharacteristics),
	FxShmMap:                method[mapMethod](vfsShmMap),
	FxShmLock:               method[lockMethod](vfsShmLock),
	FxShmBarrier:            method[voidMethod](vfsShmBarrier),
	FxShmUnmap:              method[flagMethod](vfsShmUnmap),
}

func vfsOpen(tls *libc.TLS, ours, name, file uintptr, flags int32, outFlags uintptr) int32 {
	kind := 2
	switch {
	case flags&sqlite3.SQLITE_OPEN_MAIN_DB != 0:
		kind = 0
	case flags&sqlite3.SQLITE_OPEN_WAL != 0:
		kind = 1
	}
	vfs.mu.RLock()
	inner, first := vfs.system, vfs.first[ours]
	vfs.mu.RUnlock()
	*at[vfsFile](file) = vfsFile{cipher: uintptr(first + kind)}
	open := function[openMethod](at[sqlite3.Tsqlite3_vfs](inner).FxOpen)
	rc := open(tls, inner, name, file+unsafe.Sizeof(vfsFile{}), flags, outFlags)
	if *at[uintptr](file + unsafe.Sizeof(vfsFile{})) != 0 { // then SQLite closes it
		at[vfsFile](file).methods = *(*uintptr)(unsafe.Pointer(&vfsMethodsAddress))
	}
	return rc
}

var vfsMethodsAddress = &vfsMethods

// around returns the whole blocks around a part of a file.
func around(offset int64, amount int32) (from int64, length int32) {
	from = offset / xtsBlock * xtsBlock
	until := (offset + int64(amount) + xtsBlock - 1) / xtsBlock * xtsBlock
	return from, int32(until - from)
}

// vfsRead reads the blocks around what is asked for. What lies behind the end
// of the file is zeros, as SQLite expects.
func vfsRead(tls *libc.TLS, file, buffer uintptr, amount int32, offset int64) int32 {
	from, length := around(offset, amount)
	blocks := buffer
	if from != offset || length != amount {
		if blocks = libc.Xmalloc(tls, libc.Tsize_t(length)); blocks == 0 {
			return sqlite3.SQLITE_IOERR_NOMEM
		}
		defer libc.Xfree(tls, blocks)
	}
	rc, there := readBlocks(tls, file, blocks, length, from)
	if rc != sqlite3.SQLITE_OK {
		return rc
	}
	if blocks != buffer {
		copy(bytesAt(buffer, amount), bytesAt(blocks, length)[offset-from:])
	}
	if from+int64(there) < offset+int64(amount) {
		return sqlite3.SQLITE_IOERR_SHORT_READ
	}
	return sqlite3.SQLITE_OK
}

// readBlocks reads and decrypts whole blocks, as far as there are any, and
// makes the rest zeros.
func readBlocks(tls *libc.TLS, file, blocks uintptr, length int32, from int64) (rc, there int32) {
	inner, methods := system(file)
	there = length
	rc = function[dataMethod](methods.FxRead)(tls, inner, blocks, length, from)
	if rc == sqlite3.SQLITE_IOERR_SHORT_READ {
		// The system has made the rest zeros, but does not say where it begins.
		size := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(int64(0))))
		if size == 0 {
			return sqlite3.SQLITE_IOERR_NOMEM, 0
		}
		defer libc.Xfree(tls, size)
		if rc = function[outMethod](methods.FxFileSize)(tls, inner, size); rc == sqlite3.SQLITE_OK {
			there = int32(min(max(*at[int64](size)-from, 0), int64(length))) / xtsBlock * xtsBlock
		}
	}
	if rc != sqlite3.SQLITE_OK {
		return rc, 0
	}
	cipherOf(file).decrypt(bytesAt(blocks, there), from)
	clear(bytesAt(blocks, length)[there:])
	return sqlite3.SQLITE_OK, there
}

// vfsWrite writes the blocks around what is given, the rest of which it reads
// first. A page is whole blocks; only a frame of the log shares a block with
// its neighbour, which lies within the one sector that a disk writes at once.
func vfsWrite(tls *libc.TLS, file, buffer uintptr, amount int32, offset int64) int32 {
	from, length := around(offset, amount)
	blocks := libc.Xmalloc(tls, libc.Tsize_t(length))
	if blocks == 0 {
		return sqlite3.SQLITE_IOERR_NOMEM
	}
	defer libc.Xfree(tls, blocks)
	for _, edge := range []int64{0, int64(length) - xtsBlock} {
		if from+edge >= offset && from+edge+xtsBlock <= offset+int64(amount) {
			continue
		}
		if rc, _ := readBlocks(tls, file, blocks+uintptr(edge), xtsBlock, from+edge); rc != sqlite3.SQLITE_OK {
			return rc
		}
	}
	plain := bytesAt(blocks, length)
	copy(plain[offset-from:], bytesAt(buffer, amount))
	cipherOf(file).encrypt(plain, from)
	inner, methods := system(file)
	rc := function[dataMethod](methods.FxWrite)(tls, inner, blocks, length, from)
	ours := at[vfsFile](file)
	if ours.waiting += uintptr(length); rc == sqlite3.SQLITE_OK && ours.waiting >= waitingBytes {
		ours.waiting = 0
		beginWriting(inner)
	}
	return rc
}

func vfsClose(tls *libc.TLS, file uintptr) int32 {
	inner, methods := system(file)
	return function[fileMethod](methods.FxClose)(tls, inner)
}

func vfsTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	inner, methods := system(file)
	_, whole := around(0, int32(size%xtsBlock))
	return function[sizeMethod](methods.FxTruncate)(tls, inner, size/xtsBlock*xtsBlock+int64(whole))
}

func vfsSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	inner, methods := system(file)
	return function[flagMethod](methods.FxSync)(tls, inner, flags)
}

func vfsFileSize(tls *libc.TLS, file, size uintptr) int32 {
	inner, methods := system(file)
	return function[outMethod](methods.FxFileSize)(tls, inner, size)
}

func vfsLock(tls *libc.TLS, file uintptr, level int32) int32 {
	inner, methods := system(file)
	return function[flagMethod](methods.FxLock)(tls, inner, level)
}

func vfsUnlock(tls *libc.TLS, file uintptr, level int32) int32 {
	inner, methods := system(file)
	return function[flagMethod](methods.FxUnlock)(tls, inner, level)
}

func vfsCheckReservedLock(tls *libc.TLS, file, out uintptr) int32 {
	inner, methods := system(file)
	return function[outMethod](methods.FxCheckReservedLock)(tls, inner, out)
}

func vfsFileControl(tls *libc.TLS, file uintptr, operation int32, argument uintptr) int32 {
	inner, methods := system(file)
	return function[ctlMethod](methods.FxFileControl)(tls, inner, operation, argument)
}

func vfsSectorSize(tls *libc.TLS, file uintptr) int32 {
	inner, methods := system(file)
	return function[fileMethod](methods.FxSectorSize)(tls, inner)
}

func vfsDeviceCharacteristics(tls *libc.TLS, file uintptr) int32 {
	inner, methods := system(file)
	return function[fileMethod](methods.FxDeviceCharacteristics)(tls, inner)
}

func vfsShmMap(tls *libc.TLS, file uintptr, page, size, extend int32, out uintptr) int32 {
	inner, methods := system(file)
	return function[mapMethod](methods.FxShmMap)(tls, inner, page, size, extend, out)
}

func vfsShmLock(tls *libc.TLS, file uintptr, offset, n, flags int32) int32 {
	inner, methods := system(file)
	return function[lockMethod](methods.FxShmLock)(tls, inner, offset, n, flags)
}

func vfsShmBarrier(tls *libc.TLS, file uintptr) {
	inner, methods := system(file)
	function[voidMethod](methods.FxShmBarrier)(tls, inner)
}

func vfsShmUnmap(tls *libc.TLS, file uintptr, remove int32) int32 {
	inner, methods := system(file)
	return function[flagMethod](methods.FxShmUnmap)(tls, inner, remove)
}
