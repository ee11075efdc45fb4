package journal

import (
	"encoding/binary"

	"github.com/attentionbank/attentionbank/bank"
)

// draft is the record that is being made: its commands were applied, and it is
// not on its way to the store yet. The loop owns it.
type draft struct {
	requests []*request
	reads    bool // one of them reads
	// begun says that the state is behind the last record; otherwise there are
	// no commands.
	begun  bool
	timeMS int64
	ticks  int // that stand before the commands of the requests
	count  int // of commands, Ticks with them
	// commands and answers are what stands in a record, each with its length.
	commands, answers []byte
}

// full reports whether what waits goes into the next record.
func (d *draft) full() bool { return d.count >= maxBatchCommands || len(d.commands) >= maxBatchBytes }

// keptBytes bounds what an empty draft keeps of the memory of the last.
const keptBytes = 4 << 20

// next returns an empty draft in the memory of d, whose bytes were copied.
func (d *draft) next() draft {
	if cap(d.commands)+cap(d.answers) > keptBytes {
		return draft{}
	}
	return draft{commands: d.commands[:0], answers: d.answers[:0]}
}

// join applies the commands of a request as part of the record that is being
// made. A request that only reads waits for that record, if there is to be one.
func (w *Writer) join(r *request) {
	d := &w.draft
	d.requests = append(d.requests, r)
	d.reads = d.reads || r.read != nil
	w.begin(len(r.commands) > 0)
	for _, command := range r.commands {
		w.apply(command)
	}
}

// plentyCommands are worth a sync of their own: no more are waited for before a
// record goes to the store, and what comes then is applied meanwhile.
const plentyCommands = 1024

// joinWaiting joins what waits, up to plenty.
func (w *Writer) joinWaiting() {
	for w.draft.count < plentyCommands && !w.draft.full() {
		select {
		case r := <-w.queue:
			w.join(r)
		default:
			return
		}
	}
}

// begin begins a record, if it has not begun, for commands or because something
// is due: then with the Ticks for it.
func (w *Writer) begin(commands bool) {
	if w.draft.begun {
		return
	}
	nowMS := w.nowMS()
	dueMS, any := w.at.state.NextDueMS()
	tick := any && dueMS <= nowMS
	if !commands && !tick {
		return
	}
	w.open(nowMS)
	// More than one while markets have not done all that is due, since orders
	// would be refused for it.
	for tick && (w.draft.ticks == 0 || w.draft.ticks < maxTicks && w.at.state.MarketsBehind()) {
		w.apply(bank.AppendTick(nil))
		w.draft.ticks++
	}
}

// maxTicks bounds the Ticks of a record, each of which does a bounded part.
const maxTicks = 16

// nowMS is the time of a record that begins now: it never goes back.
func (w *Writer) nowMS() int64 { return max(w.options.Now(), w.at.state.NowMS()) }

// open begins a record at a time.
func (w *Writer) open(nowMS int64) {
	w.draft.begun, w.draft.timeMS = true, nowMS
	w.at.state.Begin(w.at.seq+1, nowMS)
	w.at.state.Chain(w.at.hash)
}

// apply applies a command as the next one of the record: the bytes that will
// stand in it, whatever their giver does with his.
func (w *Writer) apply(command []byte) {
	d := &w.draft
	d.commands = appendFrame(d.commands, command)
	start := len(d.answers) + 4
	d.answers = w.at.state.Apply(d.commands[len(d.commands)-len(command):], append(d.answers, 0, 0, 0, 0))
	binary.LittleEndian.PutUint32(d.answers[start-4:], uint32(len(d.answers)-start))
	d.count++
}

func appendFrame(dst, content []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(content))), content...)
}

// seal ends the record that is being made, and begins an empty draft.
func (w *Writer) seal() *flight {
	d := &w.draft
	body := make([]byte, 0, headerBytes+len(d.commands)+len(d.answers))
	body = appendHeader(body, Header{Seq: w.at.seq + 1, TimeMS: d.timeMS, Engine: bank.Engine, Term: w.at.term, Previous: w.at.hash})
	setCommands(body, d.count, len(d.commands))
	body = append(append(body, d.commands...), d.answers...)
	f := &flight{record: seal(w.at.seq+1, body), ticks: d.ticks, requests: d.requests, reads: d.reads}
	w.at.seq, w.at.hash = f.record.Seq, f.record.Hash
	w.sinceSnapshot += d.count
	w.draft = d.next()
	return f
}
