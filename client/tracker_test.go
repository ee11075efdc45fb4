package client_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/client"
	"github.com/attentionbank/attentionbank/wire"
)

// track returns a tracker of the world's server behind a network.
func (b *bank) track(n *network, config client.TrackerConfig) *client.Tracker {
	b.t.Helper()
	c, err := client.New(client.Config{URL: n.URL, Key: b.secret})
	if err != nil {
		b.t.Fatal(err)
	}
	config.Client = c
	if config.FlushEvery == 0 {
		config.FlushEvery = 20 * time.Millisecond
	}
	tracker, err := client.NewTracker(config)
	if err != nil {
		b.t.Fatal(err)
	}
	return tracker
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func shut(t *testing.T, tracker *client.Tracker) {
	t.Helper()
	if err := tracker.Close(within(t, time.Minute)); err != nil {
		t.Error(err)
	}
}

// Behind a network that fails in every way, from several goroutines: everything
// counts, and once.
func TestTrackerBehindABadNetwork(t *testing.T) {
	b := newBank(t)
	n := newNetwork(t, b, "down", "503", "429", "cut", "401", "cut")
	var mu sync.Mutex
	verdicts := map[string]int{}
	tracker := b.track(n, client.TrackerConfig{Spool: t.TempDir(), Verdict: func(v wire.Verdict) {
		mu.Lock()
		defer mu.Unlock()
		verdicts[v.Verdict]++
	}})
	const each, goroutines = 50, 4
	var sending sync.WaitGroup
	for g := range goroutines {
		sending.Go(func() {
			for i := range each {
				if err := tracker.Track(client.Event{UserID: "ann", Name: "Jumped", Properties: map[string]any{"by": g, "height": i}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sending.Wait()
	shut(t, tracker)
	n.requireFailed()
	if count := interactions(b.day("ann", time.Now())); count != each*goroutines {
		t.Errorf("%d interactions count of %d", count, each*goroutines)
	}
	stats := tracker.Stats()
	if stats.Waiting != 0 || stats.Dropped != 0 || stats.Verdicts["accepted"]+stats.Verdicts["duplicate"] != each*goroutines || stats.Verdicts["duplicate"] == 0 {
		t.Errorf("the tracker says %+v", stats)
	}
	if mu.Lock(); verdicts["accepted"]+verdicts["duplicate"] != each*goroutines {
		t.Errorf("the program was told %v", verdicts)
	}
	mu.Unlock()
	if err := tracker.Track(client.Event{UserID: "ann", Name: "Jumped"}); !errors.Is(err, client.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// One event in a batch that the bank cannot read costs none of the others.
func TestTrackerSinglesOutWhatCannotBeRead(t *testing.T) {
	b := newBank(t)
	// Of the batch of 8, halves are refused until one event is left.
	n := newNetwork(t, b, "413", "400", "413", "400")
	tracker := b.track(n, client.TrackerConfig{FlushEvery: time.Hour})
	for i := range 8 {
		if err := tracker.Track(client.Event{UserID: "ann", Name: "Jumped", Properties: map[string]any{"height": i}}); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, tracker)
	n.requireFailed()
	if count := interactions(b.day("ann", time.Now())); count != 7 || tracker.Stats().Dropped != 1 {
		t.Errorf("%d of 8 count, the tracker says %+v", count, tracker.Stats())
	}
}

// The bank is not there, for as long as it takes: events wait in the spool,
// beyond the end of the program, and are sent by the next.
func TestTrackerOutlivesTheBank(t *testing.T) {
	b := newBank(t)
	n := newNetwork(t, b)
	folder := t.TempDir()
	b.kill()
	for run := range 3 {
		tracker := b.track(n, client.TrackerConfig{Spool: folder, Sync: client.SyncAlways})
		for i := range 10 {
			if err := tracker.Track(client.Event{MessageID: fmt.Sprintf("away-%d-%d", run, i), UserID: "ann", Name: "Jumped"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := tracker.Close(within(t, 100*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), fmt.Sprint((run+1)*10)) {
			t.Errorf("closed without a bank, with %d events: %v", (run+1)*10, err)
		}
	}
	b.start()
	tracker := b.track(n, client.TrackerConfig{Spool: folder})
	if err := tracker.Flush(within(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	shut(t, tracker)
	if count := interactions(b.day("ann", time.Now())); count != 30 {
		t.Errorf("%d of 30 count", count)
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "*.events")); len(left) != 0 {
		t.Errorf("nothing waits, and there are %v", left)
	}
}

// What waits is bounded: beyond it the program is told, and nothing that was
// taken is lost.
func TestTrackerRefusesWhatItCannotKeep(t *testing.T) {
	b := newBank(t)
	n := newNetwork(t, b)
	b.kill()
	tracker := b.track(n, client.TrackerConfig{Spool: t.TempDir(), MaxBytes: 4 << 10})
	taken := int64(0)
	for {
		err := tracker.Track(client.Event{UserID: "ann", Name: "Jumped"})
		if errors.Is(err, client.ErrFull) {
			break
		}
		if err != nil || taken > 1000 {
			t.Fatalf("after %d events: %v", taken, err)
		}
		taken++
	}
	b.start()
	shut(t, tracker)
	if count := interactions(b.day("ann", time.Now())); count != taken || taken == 0 {
		t.Errorf("%d of %d count", count, taken)
	}
}

// Somebody who is there earns presence for as long as it lasts, and orders
// count once however often they are reported.
func TestTrackerReportsPresenceAndOrders(t *testing.T) {
	b := newBank(t)
	n := newNetwork(t, b)
	tracker := b.track(n, client.TrackerConfig{})
	began := time.Now()
	visit, twin := tracker.Enter("ann"), tracker.Enter("ann") // on two devices
	time.Sleep(12 * time.Second)
	twin.Leave()
	visit.Leave()
	truth := time.Since(began)
	order := client.Order{UserID: "ann", OrderID: "77", Amount: "12.50", Currency: "USD"}
	for range 2 {
		if err := tracker.Purchase(order); err != nil {
			t.Fatal(err)
		}
	}
	if err := tracker.Refund(order); err != nil {
		t.Fatal(err)
	}
	if err := tracker.Purchase(client.Order{UserID: "ann", Amount: "1"}); err == nil {
		t.Error("an order without a number was taken")
	}
	if err := tracker.Track(client.Event{UserID: "ann"}); err == nil {
		t.Error("an event without a name was taken")
	}
	shut(t, tracker)
	if present := time.Duration(b.day("ann", began).Present) * time.Second; (present-truth).Abs() > 10*time.Second || present == 0 {
		t.Errorf("%s of presence count of %s", present, truth)
	}
	if stats := tracker.Stats(); stats.Verdicts["duplicate"] != 1 || stats.Verdicts["rejected"] != 0 {
		t.Errorf("the tracker says %+v", stats)
	}
	verdict, err := b.server.GetVerdict(t.Context(), "cafe", "purchase:77")
	if err != nil || len(verdict) != 1 || verdict[0].Verdict != "accepted" || verdict[0].Rule != "" {
		t.Errorf("the order: %+v, %v", verdict, err)
	}
}

// trackAsChild is a program that tracks until it is killed. It says before each
// event that it tries it, and after it that it was taken.
func trackAsChild() {
	c, err := client.New(client.Config{URL: os.Getenv("TRACKER_URL"), Key: os.Getenv("TRACKER_KEY")})
	if err != nil {
		panic(err)
	}
	tracker, err := client.NewTracker(client.TrackerConfig{Client: c, Spool: os.Getenv("TRACKER_CHILD"), FlushEvery: 5 * time.Millisecond})
	if err != nil {
		panic(err)
	}
	for i := 0; ; i++ {
		id := fmt.Sprintf("%s-%d", os.Getenv("TRACKER_RUN"), i)
		fmt.Println("try", id)
		if err := tracker.Track(client.Event{MessageID: id, UserID: "ann", Name: "Jumped"}); err != nil {
			panic(err)
		}
		fmt.Println("took", id)
		time.Sleep(time.Millisecond)
	}
}

// A program that is killed at any moment, again and again, behind a network
// that loses answers: what it was told is taken counts, and nothing counts
// twice.
func TestTrackerIsKilled(t *testing.T) {
	b := newBank(t)
	n := newNetwork(t, b, slices.Repeat([]string{"", "cut", "503"}, 50)...)
	folder := t.TempDir()
	var tried, took []string
	for run := range 6 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "TRACKER_CHILD="+folder, "TRACKER_URL="+n.URL, "TRACKER_KEY="+b.secret, fmt.Sprintf("TRACKER_RUN=run-%d", run))
		child.Stderr = os.Stderr
		output, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		target := len(took) + 20 + 37*run
		for lines := bufio.NewScanner(output); lines.Scan(); {
			word, id, _ := strings.Cut(lines.Text(), " ")
			if word == "try" {
				tried = append(tried, id)
			} else {
				took = append(took, id)
			}
			if len(took) == target {
				child.Process.Kill() // what it wrote before that is still read
			}
		}
		child.Wait() // it was killed, which Wait reports as an error
	}
	tracker := b.track(n, client.TrackerConfig{Spool: folder})
	shut(t, tracker)
	count := interactions(b.day("ann", time.Now()))
	if count < int64(len(took)) || count > int64(len(tried)) {
		t.Errorf("%d events count; %d were taken, %d tried", count, len(took), len(tried))
	}
	for _, id := range took {
		if verdict, err := b.server.GetVerdict(t.Context(), "cafe", id); err != nil || len(verdict) != 1 || verdict[0].Verdict != "accepted" {
			t.Fatalf("%s was taken: %+v, %v", id, verdict, err)
		}
	}
	if _, bodies := n.seen(); len(bodies) == 0 || n.failed == 0 {
		t.Error("the network did not fail")
	}
	t.Logf("%d tried, %d taken, %d counted in %d requests, %d of which failed", len(tried), len(took), count, len(n.bodies), n.failed)
}

// What somebody earns shows in the stream of the running bank, by the method of
// its operation.
func TestAccrualIsFollowed(t *testing.T) {
	b := newBank(t)
	tracker := b.track(newNetwork(t, b), client.TrackerConfig{})
	if err := tracker.Track(client.Event{UserID: "ann", Name: "Jumped"}); err != nil {
		t.Fatal(err)
	}
	if err := tracker.Flush(within(t, time.Minute)); err != nil {
		t.Fatal(err)
	}
	person, err := b.server.GetUser(t.Context(), "cafe", "ann")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for event, err := range b.server.FollowAccrual(within(t, time.Minute), person.Person) {
		if err != nil {
			t.Fatal(err)
		}
		if names = append(names, event.Name); len(names) == 2 {
			break
		}
		if err := tracker.Track(client.Event{UserID: "ann", Name: "Landed"}); err != nil {
			t.Fatal(err)
		}
	}
	if len(names) != 2 || names[0] != "snapshot" {
		t.Errorf("the stream has %v", names)
	}
	shut(t, tracker)
}
