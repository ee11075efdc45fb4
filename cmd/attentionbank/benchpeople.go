package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
)

type benchPeople struct {
	People int    `default:"20000" help:"How many people have an open day."`
	IDs    int    `default:"200" name:"ids" help:"Message ids of each."`
	Late   int    `default:"20000" help:"Late events, each of a person drawn at random."`
	Data   string `help:"Directory for the files, on the disk to be measured; a temporary one if none is named." type:"path"`
	Out    string `help:"Append the line to this file too." type:"path"`
}

// Help teaches by example.
func (c *benchPeople) Help() string {
	return `Each person comes four times on one day, in groups of 2,000 who are there together, and sends
the message ids in equal parts. When the day is over, late events come, which fall on it: of people who have
left memory, so each is read back from disk; then what was sent in the first hour is sent again, and is a
duplicate. Last, every day is posted to the bank. The load comes from this process.

People and their days get as much memory as a million of them does by docs/collect.md, 512 MiB, in proportion:
so they leave it in a small run as in a large one. Beside it are the ids of the running hour, filters for
those before, and what the bank keeps of each person for ever.

Examples:
  attentionbank bench people
  attentionbank bench people --people 1000000 --data /var/tmp

A million people with 200 ids each take about 45 GB of disk.`
}

// peopleLine is the outcome.
type peopleLine struct {
	Bench   string `json:"bench"`
	People  int    `json:"people"`
	IDs     int    `json:"ids_a_person"`
	Events  int64  `json:"events"`
	PerSec  int64  `json:"events_per_second"`
	LateSec int64  `json:"late_events_per_second"`
	// LateP50MS and LateP99MS are of single late events, one at a time.
	LateP50MS float64 `json:"late_p50_ms"`
	LateP99MS float64 `json:"late_p99_ms"`
	// PeopleBytes is what people and their days were given.
	PeopleBytes int `json:"people_bytes"`
	// PeopleInMemory of whom something was in memory when the day was over.
	PeopleInMemory int64 `json:"people_in_memory"`
	DaysPosted     int   `json:"days_posted"`
	DaysSec        int64 `json:"days_posted_per_second"`
	// HeapBytes is what was in use after the day, PeakBytes the most that the
	// process had resident, before the days were posted and at the end.
	HeapBytes       uint64 `json:"heap_bytes"`
	PeakBytes       int64  `json:"peak_resident_bytes"`
	PeakPostedBytes int64  `json:"peak_resident_bytes_posted"`
	BytesAPerson    int64  `json:"peak_bytes_a_person"`
	DirectoryBytes  int64  `json:"id_directory_bytes"`
	DiskBytes       int64  `json:"disk_bytes"`
	DiskAnEvent     int64  `json:"disk_bytes_an_event"`
	Version         string `json:"version"`
	Go              string `json:"go"`
	CPU             string `json:"cpu"`
	CPUs            int    `json:"cpus"`
	At              string `json:"at"`
}

// Run implements the command.
func (c *benchPeople) Run(env *environment) error {
	if c.People < 1 || c.IDs < visits || c.Late < 0 {
		return usage("expected --people from 1, --ids from %d and --late from 0", visits)
	}
	data, err := os.MkdirTemp(c.Data, "attentionbank-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	line := peopleLine{
		Bench: "people", People: c.People, IDs: c.IDs / visits * visits,
		Version: version(), Go: runtime.Version(), CPU: cpuName(), CPUs: runtime.NumCPU(), At: time.Now().UTC().Format(time.RFC3339),
	}
	p := &crowdedDay{benchPeople: c, env: env, random: rand.New(rand.NewPCG(1, 2))}
	if err := p.measure(data, &line); err != nil {
		return err
	}
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "%s\n", text)
	if c.Out != "" {
		return appendLine(c.Out, text)
	}
	return nil
}

const (
	visits     = 4 // of a person in the day
	groupSize  = 2000
	benchDayMS = 1_767_225_600_000 // 2026-01-01
)

// crowdedDay is a bank on one day of many people.
type crowdedDay struct {
	*benchPeople
	env     *environment
	random  *rand.Rand
	clockMS atomic.Int64
	n       *node
}

func (p *crowdedDay) measure(data string, line *peopleLine) (err error) {
	ctx := p.env.context
	p.clockMS.Store(benchDayMS)
	line.PeopleBytes = max(int(int64(512<<20)*int64(min(p.People, 1_000_000))/1_000_000), 4<<20)
	p.n = &node{site: Site{Data: data}, peopleBytes: line.PeopleBytes}
	defer func() { err = errors.Join(err, p.n.close()) }()
	if err = p.n.open(ctx, p.clockMS.Load, func(string) {}); err != nil {
		return err
	}
	if _, err := p.n.journal.Submit(ctx, bank.RegisterWorld{Code: "bench"}.AppendTo(nil)); err != nil {
		return err
	}
	began := time.Now()
	if err := p.fill(ctx); err != nil {
		return err
	}
	line.Events = int64(p.People) * int64(line.IDs)
	line.PerSec = int64(float64(line.Events) / time.Since(began).Seconds())
	p.clockMS.Store(benchDayMS + 30*60*60*1000)
	late, err := p.late(ctx)
	if err != nil {
		return err
	}
	if late.done > 0 {
		line.LateSec, line.LateP50MS, line.LateP99MS = int64(late.perSecond()), late.percentile(0.50), late.percentile(0.99)
	}
	if err := p.again(ctx); err != nil {
		return err
	}
	stats := p.n.collector.Statistics()
	line.PeopleInMemory, line.DirectoryBytes = stats.People.Load(), stats.Seen.DirectoryBytes.Load()
	debug.FreeOSMemory()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	line.HeapBytes, line.PeakBytes = memory.HeapAlloc, peakResident()
	line.BytesAPerson = line.PeakBytes / int64(p.People)
	began = time.Now()
	if line.DaysPosted, err = p.n.flush(ctx); err != nil {
		return err
	}
	line.DaysSec = int64(float64(line.DaysPosted) / time.Since(began).Seconds())
	line.PeakPostedBytes = peakResident()
	line.DiskBytes, err = sizeOf(data)
	line.DiskAnEvent = line.DiskBytes / line.Events
	return err
}

// fill lets everybody come as often as they do on the day.
func (p *crowdedDay) fill(ctx context.Context) error {
	share := p.IDs / visits
	groups := (p.People + groupSize - 1) / groupSize
	bar := progress(p.env, int64(visits*groups), "filling the day")
	stepMS := int64(24*60*60*1000) / int64(visits*groups)
	for visit := range visits {
		for group := range groups {
			first := group * groupSize
			fromMS := benchDayMS + int64(visit*groups+group)*stepMS
			for n := range share {
				// Every fifth is an act, the others are heartbeats of 10 s.
				request := collect.Request{World: 1, Trust: collect.TrustServer, Items: make([]event.Item, min(groupSize, p.People-first))}
				timeMS := fromMS + int64(n)*10_000
				p.clockMS.Store(max(p.clockMS.Load(), timeMS))
				for i := range request.Items {
					e := event.Event{Call: event.Track, Type: "heartbeat", UserID: benchUser(first + i), MessageID: benchID(first+i, visit*share+n), TimeMS: timeMS}
					if n%5 == 4 {
						e.Type = "Jumped"
					}
					request.Items[i].Event = e
				}
				if err := p.accept(ctx, request, collect.Accepted, collect.Capped); err != nil {
					return err
				}
			}
			if bar != nil {
				bar.Add(1) // a bar that cannot be drawn is no fault
			}
		}
	}
	return nil
}

func benchUser(i int) string { return "u" + strconv.Itoa(i) }

func benchID(person, number int) string { return strconv.Itoa(person) + "/" + strconv.Itoa(number) }

func (p *crowdedDay) accept(ctx context.Context, request collect.Request, expected ...collect.Verdict) error {
	results, err := p.n.collector.Accept(ctx, request)
	for _, result := range results {
		fits := false
		for _, verdict := range expected {
			fits = fits || result.Verdict == verdict
		}
		if !fits && err == nil {
			err = fmt.Errorf("event %s was %s, expected %v", result.MessageID, result.Verdict, expected)
		}
	}
	return err
}

// late sends events of the day that is over, of people most of whom have left
// memory.
func (p *crowdedDay) late(ctx context.Context) (m measured, err error) {
	bar := progress(p.env, int64(p.Late), "late events")
	began := time.Now()
	for i := range p.Late {
		timeMS := benchDayMS + p.random.Int64N(24*60*60*1000)
		e := event.Event{Call: event.Track, Type: "Jumped", UserID: benchUser(p.random.IntN(p.People)), MessageID: "late/" + strconv.Itoa(i), TimeMS: timeMS}
		asked := time.Now()
		if err := p.accept(ctx, collect.Request{World: 1, Trust: collect.TrustServer, Items: []event.Item{{Event: e}}}, collect.Accepted, collect.Capped); err != nil {
			return m, err
		}
		m.answers = append(m.answers, time.Since(asked))
		m.done++
		if bar != nil {
			bar.Add(1) // a bar that cannot be drawn is no fault
		}
	}
	m.took = time.Since(began)
	return m, nil
}

// again sends first reports again, which are found on disk.
func (p *crowdedDay) again(ctx context.Context) error {
	request := collect.Request{World: 1, Trust: collect.TrustServer}
	for range min(1000, p.People) {
		person := p.random.IntN(p.People)
		request.Items = append(request.Items, event.Item{Event: event.Event{Call: event.Track, Type: "heartbeat", UserID: benchUser(person), MessageID: benchID(person, 0)}})
	}
	return p.accept(ctx, request, collect.Duplicate)
}

// peakResident returns the most that the process had resident, as Linux counts
// it; elsewhere what the runtime has from the system.
func peakResident() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err == nil {
		for line := range strings.SplitSeq(string(text), "\n") {
			if value, found := strings.CutPrefix(line, "VmHWM:"); found {
				if kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64); err == nil {
					return kib << 10
				}
			}
		}
	}
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	return int64(memory.Sys)
}

// sizeOf returns the bytes of all files below a directory.
func sizeOf(folder string) (total int64, err error) {
	err = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	return total, err
}
