package recording_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/market"
	"github.com/attentionbank/attentionbank/recording"
)

// realData returns a file of a real data set; a test that needs one is skipped,
// with the reason, where it is not there.
func realData(t *testing.T, set, file string) string {
	t.Helper()
	root := os.Getenv("ATTENTIONBANK_TESTDATA")
	if root == "" {
		root = "../../shared/data"
	}
	files, err := filepath.Glob(filepath.Join(root, set, file))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skipf("the data set %s is not under %s; set ATTENTIONBANK_TESTDATA to the folder of data sets", set, root)
	}
	return files[0]
}

func open(t *testing.T, path string) *os.File {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// replayOf makes a replay of texts; "" is none.
func replayOf(t testing.TB, name string, messages, initial, expected io.Reader) *recording.Replay {
	t.Helper()
	format, err := recording.FormatOf(name)
	if err != nil {
		t.Fatal(err)
	}
	r := &recording.Replay{}
	if r.Player, err = recording.NewPlayer(format); err != nil {
		t.Fatal(err)
	}
	if r.Messages, err = format.Read(messages); err != nil {
		t.Fatal(err)
	}
	if initial != nil {
		if r.Initial, err = r.Player.Start(initial); err != nil {
			t.Fatal(err)
		}
	}
	if expected != nil {
		if r.Expected, err = format.Expect(expected, 10); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// run plays everything and looks at the book after each message.
func run(t testing.TB, r *recording.Replay, look func(m recording.Message)) {
	t.Helper()
	for {
		m, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		bid, bids := r.Player.Book().Best(market.Buy)
		ask, asks := r.Player.Book().Best(market.Sell)
		if bids && asks && bid.Price >= ask.Price {
			t.Fatalf("crossed after %+v: %+v, %+v", m, bid, ask)
		}
		look(m)
	}
}

func nothing(recording.Message) {}

func verdict(t *testing.T, r *recording.Replay) recording.Verdict {
	t.Helper()
	v, err := r.Expected.Done()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// A day of a stock, order by order, from an empty book: each of 3,928 recorded
// books of ten levels, with price, quantity and count of orders. Every trade
// hits the recorded order.
func TestBooksOfADayOrderByOrder(t *testing.T) {
	r := replayOf(t, "mbo", open(t, realData(t, "mkt-arl-mbo-mbp10", "mbo.csv")), nil, open(t, realData(t, "mkt-arl-mbo-mbp10", "mbp.csv")))
	run(t, r, nothing)
	if v := verdict(t, r); v.Equal != 3928 || v.All != 3928 {
		t.Errorf("%v; the first difference: %s", v, v.First)
	}
	want := recording.Counts{Messages: 5886, Orders: 2915, Executions: 11, Hits: 11}
	if r.Player.Counts != want {
		t.Errorf("counts %+v, expected %+v", r.Player.Counts, want)
	}
}

// A book of ten levels with its first thousand messages: every change of the
// level that a message touches, and every trade hits the recorded order.
func TestChangesOfTheTouchedLevel(t *testing.T) {
	book := realData(t, "mkt-lobster-aapl-l10-head", "*orderbook*.csv")
	r := replayOf(t, "lobster", open(t, realData(t, "mkt-lobster-aapl-l10-head", "*message*.csv")), open(t, book), open(t, book))
	run(t, r, nothing)
	if v := verdict(t, r); v.Equal != 998 || v.All != 998 {
		t.Errorf("%v; the first difference: %s", v, v.First)
	}
	c := r.Player.Counts
	if c.Executions != 98 || c.Hits != 98 || c.Unknown+c.Stale+c.Repeated+c.Beyond != 0 {
		t.Errorf("counts %+v", c)
	}
}

// A quarter of an hour of a busy stock from an empty book: never crossed, each
// trade at the best price, 99 of 100 with the first of the queue.
func TestAQuarterOfAnHourNeverCrosses(t *testing.T) {
	r := replayOf(t, "lobster", open(t, realData(t, "mkt-lobster-aapl-l50-first15m", "message*.csv")), nil, nil)
	run(t, r, nothing) // run looks for a crossed book
	c := r.Player.Counts
	if c.Messages != 20674 || c.Stale != 0 {
		t.Errorf("counts %+v", c)
	}
	if c.Worse != 0 || c.Executions < 1200 || c.Hits*100 < c.Executions*98 {
		t.Errorf("%d executions, %d not at the best price, %d first in the queue", c.Executions, c.Worse, c.Hits)
	}
}

// A raw feed, whose kinds arrive out of step and which begins in the middle of
// the day: whatever it says, the book stays a book, and what did not fit is
// counted.
func TestRawFeed(t *testing.T) {
	r := replayOf(t, "bitstamp", open(t, realData(t, "mkt-bitstamp-l3-first20pct", "*.log")), nil, nil)
	run(t, r, nothing)
	c := r.Player.Counts
	if c.Messages != 11200 || c.Orders < 4957 || c.Unknown == 0 || c.Repeated+c.Beyond != 0 {
		t.Errorf("counts %+v", c)
	}
	if deviations := c.Unknown + c.Ahead + c.Stale + c.Mismatches(); deviations*50 > c.Messages {
		t.Errorf("%d of %d messages did not fit: %+v", deviations, c.Messages, c)
	}
}

// Each row is a rule of the replay: what is recorded, the book after it, and
// the counts that are not those of messages and orders.
func TestRules(t *testing.T) {
	const created, changed, deleted = "order_created", "order_changed", "order_deleted"
	feed := func(kind string, id int, side int, price, amount string) string {
		return fmt.Sprintf(`1 %s {"id": %d, "order_type": %d, "price": "%s", "amount": "%s"}`, kind, id, side, price, amount) + "\n"
	}
	for _, test := range []struct {
		name, format, messages, initial, bids, asks string
		counts                                      recording.Counts
	}{
		{"a trade takes from the order that is first", "lobster", "1,1,7,5,100,1\n1,1,8,5,100,1\n1,4,7,2,100,1\n", "",
			"[100,8,2]", "", recording.Counts{Executions: 1, Hits: 1}},
		{"a trade of an order that is not first follows the record", "lobster", "1,1,7,5,100,1\n1,1,8,5,100,1\n1,4,8,5,100,1\n", "",
			"[100,5,1]", "", recording.Counts{Executions: 1, Behind: 1}},
		{"so does one at a worse price", "lobster", "1,1,7,5,100,1\n1,1,8,5,101,1\n1,4,7,2,100,1\n", "",
			"[101,5,1],[100,3,1]", "", recording.Counts{Executions: 1, Worse: 1}},
		{"hidden trades, cross trades and halts touch nothing", "lobster", "1,1,7,5,100,-1\n1,5,0,2,100,1\n1,6,0,2,100,1\n1,7,0,0,-1,-1\n", "",
			"", "[100,5,1]", recording.Counts{}},
		{"a cancellation in part and in whole", "lobster", "1,1,7,5,100,1\n1,1,8,5,100,1\n1,2,7,2,100,1\n1,3,8,5,100,1\n", "",
			"[100,3,1]", "", recording.Counts{}},
		{"more than is open is what is open", "lobster", "1,1,7,5,100,1\n1,2,7,9,100,1\n", "",
			"", "", recording.Counts{Beyond: 1}},
		{"an order that nobody knows", "lobster", "1,3,9,5,100,1\n1,4,9,5,100,1\n", "",
			"", "", recording.Counts{Unknown: 2}},
		{"an order that is there already", "lobster", "1,1,7,5,100,1\n1,1,7,6,101,1\n", "",
			"[100,5,1]", "", recording.Counts{Repeated: 1}},
		{"a newcomer at rest shows that what it would meet is gone", "lobster", "1,1,7,5,100,1\n1,1,8,5,99,1\n1,1,9,5,100,-1\n", "",
			"[99,5,1]", "[100,5,1]", recording.Counts{Stale: 1}},
		{"the initial book gives what unknown orders take", "lobster", "1,4,7,2,100,1\n1,2,8,1,101,-1\n1,3,9,3,99,1\n", "101,4,100,5,9999999999,0,99,3\n",
			"[100,3,1]", "[101,3,1]", recording.Counts{Executions: 1, Hits: 1, Anonymous: 3}},
		{"the order of the initial book that fits whole is the one that goes", "lobster", "1,3,9,2,100,1\n", `{"seq":0,"bids":[[100,5,3]],"asks":[]}`,
			"[100,3,2]", "", recording.Counts{Anonymous: 1}},
		{"or several of it, where none has enough", "lobster", "1,4,9,4,100,1\n", `{"seq":0,"bids":[[100,5,2]],"asks":[]}`,
			"[100,1,1]", "", recording.Counts{Executions: 2, Hits: 2, Anonymous: 1}},
		{"prices and quantities that no book takes", "lobster", "1,1,7,5,0,1\n1,1,8,0,100,1\n1,1,9,5,9999999999,1\n", "",
			"", "", recording.Counts{Beyond: 3}},
		{"an order that arrives trades, and the record agrees afterwards", "bitstamp",
			feed(created, 1, 0, "10.5", "2.00000000") + feed(created, 2, 1, "10.4", "0.5") + feed(deleted, 2, 1, "10.4", "0") + feed(changed, 1, 0, "10.5", "1.5"), "",
			"[10.5,1.5,1]", "", recording.Counts{}},
		{"a trade that the record has and the book has not", "bitstamp", feed(created, 1, 0, "10.5", "2") + feed(changed, 1, 0, "10.5", "0.5"), "",
			"[10.5,0.5,1]", "", recording.Counts{Executions: 1, Hits: 1}},
		{"a trade that the book has and the record has not", "bitstamp", feed(created, 1, 0, "10.5", "2") + feed(created, 2, 1, "10.5", "2") + feed(changed, 1, 0, "10.5", "1") + feed(deleted, 2, 1, "10.5", "2"), "",
			"[10.5,1,1]", "", recording.Counts{Ahead: 2}},
		{"a cancelled order leaves with what it has", "bitstamp", feed(created, 1, 0, "10.5", "2") + feed(deleted, 1, 0, "10.5", "2"), "",
			"", "", recording.Counts{}},
		{"an order from before the feed is learned", "bitstamp", feed(changed, 1, 0, "10.5", "2"), "",
			"[10.5,2,1]", "", recording.Counts{Unknown: 1}},
		{"numbers of every type, and kinds that concern no order", "bitstamp",
			`1 order_created {"id": "1", "order_type": "0", "price": 10.5, "amount": 1.7885566900000001}` + "\n" + `2 trade {"price": 1}` + "\n3 gossip x\n", "",
			"[10.5,1.78855669,1]", "", recording.Counts{}},
		{"a modification to less keeps the place, to more loses it", "mbo", mbo("A,B,10,5,1,1", "A,B,10,5,2,2", "M,B,10,4,1,3", "T,A,10,4,0,4", "F,B,10,4,1,4", "C,B,10,4,1,4", "A,B,10,5,3,5", "M,B,10,6,2,6", "F,B,10,1,3,7", "C,B,10,1,3,7"), "",
			"[10,10,2]", "", recording.Counts{Executions: 2, Hits: 2}},
		{"a fill by modification, and a book that is cleared", "mbo", mbo("A,B,10.5,5,1,1", "F,B,10.5,2,1,2", "M,B,10.5,3,1,2", "A,A,11,1,2,3", "R,N,,0,0,4", "A,A,12,1,2,5"), "",
			"", "[12,1,1]", recording.Counts{Executions: 1, Hits: 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var initial io.Reader
			if test.initial != "" {
				initial = strings.NewReader(test.initial)
			}
			r := replayOf(t, test.format, strings.NewReader(test.messages), initial, nil)
			run(t, r, nothing)
			want := fmt.Sprintf(`{"seq":9,"bids":[%s],"asks":[%s]}`+"\n", test.bids, test.asks)
			if got := string(r.Player.AppendState(nil, 9, 0)); got != want {
				t.Errorf("%s, expected %s", got, want)
			}
			got := r.Player.Counts
			got.Messages, got.Orders = 0, 0
			if got != test.counts {
				t.Errorf("counts %+v, expected %+v", got, test.counts)
			}
		})
	}
}

func mbo(rows ...string) string {
	return "action,side,price,size,order_id,sequence\n" + strings.Join(rows, "\n")
}

// What cannot be read is refused and the line is named.
func TestUnreadable(t *testing.T) {
	for _, test := range []struct{ format, messages, want string }{
		{"lobster", "1,1,7,5,100,1\n\n1,9,7,5,100,1\n", `line 3: type "9"`},
		{"lobster", "1,1,7,5,100\n", "line 1: 5 fields"},
		{"lobster", "1,1,7,5,100,0\n", "line 1: direction"},
		{"lobster", strings.Repeat("9", 70_000), "line 1 has more than 65536 bytes"},
		{"mbo", "action,side\n", "line 1: the heading has no column price"},
		{"mbo", "", "the file is empty"},
		{"mbo", mbo("A,B,10.00001,5,1,1"), `line 2: price "10.00001" has more than 4 decimal places`},
		{"mbo", mbo("A,N,10,5,1,1"), `line 2: side "N"`},
		{"mbo", mbo("A,B,10,5"), "line 2: 4 fields"},
		{"bitstamp", "1 order_created {\n", "line 1: order_created"},
		{"bitstamp", `1 order_created {"id": 1, "order_type": 2, "price": 1, "amount": 1}`, `line 1: order_created: order_type "2"`},
		{"bitstamp", "nothing\n", "line 1: expected a time"},
	} {
		format, err := recording.FormatOf(test.format)
		if err != nil {
			t.Fatal(err)
		}
		messages, err := format.Read(strings.NewReader(test.messages))
		for err == nil {
			_, err = messages.Next()
		}
		if !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %v, expected %s", test.format, err, test.want)
		}
	}
}

// A book that is not as expected is told, with the first difference.
func TestDifferencesAreTold(t *testing.T) {
	const messages = "1,1,7,5,100,1\n1,1,8,5,101,-1\n1,3,7,5,100,1\n"
	for _, test := range []struct {
		expected, first string
		equal, all      int
	}{
		{`{"seq":1,"bids":[[100,5,1]],"asks":[]}` + "\n" + `{"seq":3,"bids":[],"asks":[[101,5,1]]}`, "", 2, 2},
		{`{"seq":2,"bids":[[100,6,1]],"asks":[[101,5,1]]}`, "sequence 2: the book was another after each message of it", 0, 1},
		{`{"seq":2,"bids":[[100,5,1]],"asks":[[101,5,1]]}` + "\n" + `{"seq":9,"bids":[],"asks":[]}`, "sequence 9: the book was another, or the recording had ended", 1, 2},
		{"9999999999,0,100,5\n101,5,100,5\n101,5,-9999999999,0\n", "", 2, 2},
		{"9999999999,0,100,5\n101,5,100,5\n101,5,100,1\n", "message 3: the level at 100 changed by -5, expected -4", 1, 2},
	} {
		r := replayOf(t, "lobster", strings.NewReader(messages), nil, strings.NewReader(test.expected))
		run(t, r, nothing)
		if v := verdict(t, r); v.Equal != test.equal || v.All != test.all || !strings.HasPrefix(v.First, test.first) {
			t.Errorf("%+v, expected %d of %d, %s", v, test.equal, test.all, test.first)
		}
	}
}

// Whatever a recording says, the book stays a book and its lines can be read
// back as an initial book.
func FuzzPlay(f *testing.F) {
	f.Add(byte(0), mbo("A,B,10,5,1,1", "F,B,10,2,1,2", "C,B,10,2,1,2", "M,B,11,9,1,3", "A,A,11,1,2,4", "R,N,,0,0,5"), "")
	f.Add(byte(1), "1,1,7,5,100,1\n1,4,8,2,100,1\n1,2,7,1,100,1\n1,3,7,5,100,1\n", "101,4,100,5\n101,4,100,3\n102,4,99,5\n")
	f.Add(byte(1), "1,1,7,5,100,1\n1,4,8,2,100,1\n", `{"bids":[[99,7,3]],"asks":[[101,1,1]]}`)
	f.Add(byte(2), `1 order_created {"id": 1, "order_type": 0, "price": "10.5", "amount": "1"}`+"\n"+`1 order_changed {"id": 1, "order_type": 0, "price": "10.5", "amount": 0.5}`+"\n"+
		`1 order_created {"id": 2, "order_type": 1, "price": "9", "amount": "3"}`+"\n"+`1 order_deleted {"id": 2, "order_type": 1, "price": "9", "amount": "1"}`, "")
	names := []string{"mbo", "lobster", "bitstamp"}
	f.Fuzz(func(t *testing.T, which byte, messages, initial string) {
		format, err := recording.FormatOf(names[int(which)%len(names)])
		if err != nil {
			t.Fatal(err)
		}
		r := &recording.Replay{}
		if r.Player, err = recording.NewPlayer(format); err != nil {
			t.Fatal(err)
		}
		if initial != "" {
			if r.Initial, err = r.Player.Start(strings.NewReader(initial)); err != nil {
				return
			}
		}
		if r.Messages, err = format.Read(strings.NewReader(messages)); err != nil {
			return
		}
		for err == nil {
			_, err = r.Next()
			bid, bids := r.Player.Book().Best(market.Buy)
			ask, asks := r.Player.Book().Best(market.Sell)
			if bids && asks && bid.Price >= ask.Price {
				t.Fatalf("crossed: %+v, %+v", bid, ask)
			}
		}
		line := r.Player.AppendState(nil, 1, 0)
		if len(line) > 60_000 {
			return // more than a line of a file may have
		}
		again, err := recording.NewPlayer(format)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := again.Start(strings.NewReader(string(line))); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if second := string(again.AppendState(nil, 1, 0)); second != string(line) {
			t.Fatalf("%s, read back %s", line, second)
		}
	})
}

// Whatever a file of expected books says, comparing ends.
func FuzzExpect(f *testing.F) {
	f.Add(byte(0), "sequence,bid_px_00\n1,2\n")
	f.Add(byte(1), "101,4,100,5\n101,4,100,3\n")
	f.Add(byte(2), `{"seq":1,"bids":[[10.5,1,1]],"asks":[]}`)
	messages := map[string]string{
		"mbo": mbo("A,B,10,5,1,1", "C,B,10,5,1,2"), "lobster": "1,1,7,5,100,1\n1,3,7,5,100,1\n",
		"bitstamp": `1 order_created {"id": 1, "order_type": 0, "price": "10.5", "amount": "1"}`,
	}
	names := []string{"mbo", "lobster", "bitstamp"}
	f.Fuzz(func(t *testing.T, which byte, expected string) {
		name := names[int(which)%len(names)]
		r := replayOf(t, name, strings.NewReader(messages[name]), nil, nil)
		format, _ := recording.FormatOf(name)
		var err error
		if r.Expected, err = format.Expect(strings.NewReader(expected), 10); err != nil {
			return
		}
		for err == nil {
			_, err = r.Next()
		}
		if v, err := r.Expected.Done(); err == nil && v.Equal > v.All {
			t.Fatalf("%+v", v)
		}
	})
}
