package client

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A spool keeps events on disk until the bank has acknowledged them: segments,
// files to which is only appended, numbered in order and never used again.
//
//	| length u32 | crc32c u32 of the event | event, JSON | …     little-endian
//
// A crash may tear the last record of a segment; reading ends there. The file
// "done" says how much of the oldest segment was acknowledged, as text: segment
// and number of records. It may be behind, or missing: what is then sent again
// bears the message ids that it bore, so the bank counts it once.
type spool struct {
	folder   string
	lock     *os.File
	number   uint64    // of the newest segment
	segments []segment // the oldest first
	done     int       // acknowledged records of the oldest

	file *os.File // the newest segment; nil if there is none to append to
	size int64
	// durable says that a new segment has to survive a power cut.
	durable bool
}

type segment struct {
	number  uint64
	records int
}

const (
	recordHead      = 8
	maxSegmentBytes = 4 << 20
	segmentSuffix   = ".events"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// openSpool opens a folder and returns the events that wait in it. damaged
// names files of which the end cannot be read though nothing tore it off; they
// are kept aside.
func openSpool(folder string) (s *spool, waiting [][]byte, damaged []string, err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, nil, nil, fmt.Errorf("client: spool: %w", err)
	}
	s = &spool{folder: folder}
	if s.lock, err = lockFile(filepath.Join(folder, "lock")); err != nil {
		return nil, nil, nil, fmt.Errorf("client: the spool %s is in use by another program, or cannot be locked: %w", folder, err)
	}
	if waiting, damaged, err = s.load(); err != nil {
		s.lock.Close()
		return nil, nil, nil, fmt.Errorf("client: spool: %w", err)
	}
	return s, waiting, damaged, nil
}

func (s *spool) load() (waiting [][]byte, damaged []string, err error) {
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		return nil, nil, err
	}
	doneIn, doneRecords := s.readDone()
	s.number = doneIn // its segment may be gone, its number is not used again
	var numbers []uint64
	for _, entry := range entries {
		var number uint64
		if name, is := strings.CutSuffix(entry.Name(), segmentSuffix); is {
			if _, err := fmt.Sscanf(name, "%d", &number); err == nil {
				numbers = append(numbers, number)
			}
		}
	}
	slices.SortFunc(numbers, cmp.Compare)
	for _, number := range numbers {
		s.number = max(s.number, number)
		text, err := os.ReadFile(s.path(number))
		if err != nil {
			return nil, nil, err
		}
		events, torn := readSegment(text)
		if !torn {
			damaged = append(damaged, s.path(number)+".damaged")
			if err := os.WriteFile(s.path(number)+".damaged", text, 0o600); err != nil {
				return nil, nil, err
			}
		}
		if number == doneIn {
			events = events[min(doneRecords, len(events)):]
		}
		if len(events) == 0 {
			if err := os.Remove(s.path(number)); err != nil {
				return nil, nil, err
			}
			continue
		}
		if number == doneIn {
			s.done = doneRecords
		}
		records := len(events)
		if number == doneIn {
			records += doneRecords
		}
		s.segments = append(s.segments, segment{number, records})
		waiting = append(waiting, events...)
	}
	return waiting, damaged, nil
}

// readSegment returns the events of a segment. whole says that it ends with a
// record, or in one that was torn off; if not, something in it was changed.
func readSegment(text []byte) (events [][]byte, whole bool) {
	for len(text) >= recordHead {
		length := binary.LittleEndian.Uint32(text)
		if length == 0 || length > maxEventBytes {
			// Zeros are what a file system leaves where data had not arrived.
			return events, len(strings.Trim(string(text), "\x00")) == 0
		}
		if uint64(len(text)) < recordHead+uint64(length) {
			return events, true
		}
		event := text[recordHead : recordHead+length]
		if crc32.Checksum(event, castagnoli) != binary.LittleEndian.Uint32(text[4:]) {
			return events, len(text) == int(recordHead+length)
		}
		events = append(events, event)
		text = text[recordHead+length:]
	}
	return events, true
}

func (s *spool) path(number uint64) string {
	return filepath.Join(s.folder, fmt.Sprintf("%016d%s", number, segmentSuffix))
}

// append writes an event. When it fails the segment is left as it is, torn at
// worst, and the next event begins another.
func (s *spool) append(event []byte) error {
	if s.file == nil || s.size >= maxSegmentBytes {
		if err := s.begin(); err != nil {
			return fmt.Errorf("client: spool: %w", err)
		}
	}
	record := binary.LittleEndian.AppendUint32(make([]byte, 0, recordHead+len(event)), uint32(len(event)))
	record = binary.LittleEndian.AppendUint32(record, crc32.Checksum(event, castagnoli))
	if _, err := s.file.Write(append(record, event...)); err != nil {
		err = errors.Join(err, s.seal())
		return fmt.Errorf("client: spool: %w", err)
	}
	s.size += int64(recordHead + len(event))
	s.segments[len(s.segments)-1].records++
	return nil
}

// begin begins a segment.
func (s *spool) begin() error {
	if err := s.seal(); err != nil {
		return err
	}
	file, err := os.OpenFile(s.path(s.number+1), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	s.number++
	s.file, s.size = file, 0
	s.segments = append(s.segments, segment{number: s.number})
	if s.durable {
		return syncFolder(s.folder)
	}
	return nil
}

// seal ends the newest segment.
func (s *spool) seal() error {
	if s.file == nil {
		return nil
	}
	file := s.file
	s.file = nil
	return errors.Join(file.Sync(), file.Close())
}

// acknowledge forgets the n oldest events.
func (s *spool) acknowledge(n int) error {
	var err error
	s.done += n
	for len(s.segments) > 0 && s.done >= s.segments[0].records {
		oldest := s.segments[0]
		if oldest.number == s.number && s.file != nil {
			err = errors.Join(err, s.file.Close())
			s.file = nil
		}
		err = errors.Join(err, os.Remove(s.path(oldest.number)))
		s.done -= oldest.records
		s.segments = s.segments[1:]
	}
	if len(s.segments) > 0 && s.done > 0 {
		err = errors.Join(err, s.writeDone())
	}
	if err != nil {
		return fmt.Errorf("client: spool: %w", err)
	}
	return nil
}

func (s *spool) writeDone() error {
	path := filepath.Join(s.folder, "done")
	text := fmt.Sprintf("%d %d\n", s.segments[0].number, s.done)
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// readDone returns how much of which segment was acknowledged; zeros if that
// is not known.
func (s *spool) readDone() (number uint64, records int) {
	text, err := os.ReadFile(filepath.Join(s.folder, "done"))
	if err != nil {
		return 0, 0
	}
	if _, err := fmt.Sscanf(string(text), "%d %d\n", &number, &records); err != nil || records < 0 {
		return 0, 0
	}
	return number, records
}

func (s *spool) close() error {
	return errors.Join(s.seal(), s.lock.Close())
}
