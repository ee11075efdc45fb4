package score_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/score"
	"pgregory.net/rapid"
)

// until returns the day as it was when so much presence, over all worlds, was
// over: what came later is missing, but for spend.
func (n *naiveDay) until(seconds int64) *naiveDay {
	end := int64(0)
	for left := seconds / 10; left > 0 && end < 8640; end++ {
		if len(n.claims(end)) > 0 {
			left--
		}
	}
	cut := &naiveDay{}
	for _, p := range n.presence {
		cut.presence = append(cut.presence, naivePresence{p.world, p.fromMS, min(p.untilMS, end*10_000)})
	}
	for _, a := range n.acts {
		if a.sinceMS >= end*10_000 {
			a.weight = 0
		}
		cut.acts = append(cut.acts, a)
	}
	return cut
}

// With a limit of one's own a day earns what it would have earned had the person
// left when the limit was reached.
func TestLimitedDayEqualsShorterDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, p := drawDay(t), drawPolicy(t)
		var day score.Day
		n.fill(&day)
		seconds := rapid.OneOf(rapid.Int64Range(0, 90_000), rapid.Int64Range(0, 60)).Draw(t, "seconds")
		shorter, counted := n.until(seconds), int64(0)
		for world := uint32(1); world <= 3; world++ {
			award := day.ScoreWithin(world, p, score.Bounds{Limited: true, EarnSeconds: seconds})
			if want := shorter.points(world, p); award.PointsMicro != want {
				t.Fatalf("within %d s world %d earned %d, the twin says %d", seconds, world, award.PointsMicro, want)
			}
			counted += award.PresentSeconds
		}
		if counted > seconds {
			t.Fatalf("%d s counted of at most %d", counted, seconds)
		}
	})
}

// Minors earn by caps of their own, which are never looser than everybody's.
func TestMinors(t *testing.T) {
	var day score.Day
	day.Present(1, 0, 10*3_600_000)
	for hour := range int64(10) {
		day.Act(1, hour*3_600_000, 100, 100_000_000)
	}
	day.Spend(1, 0, 50_00)
	for _, test := range []struct {
		policy          string
		everybody, then string
	}{
		// α alone: 4 h in full and 4 in half; of minors 1 h in full and 1 in half.
		{"beta: 0\ngamma: 0", "180 5000", "45 0"},
		{"beta: 0\ngamma: 0\nminors: {curve: {full_hours: 2, half_hours: 2}}", "180 5000", "60 0"},
		{"beta: 0\ngamma: 0\nminors: {curve: {full_hours: 9, half_hours: 9}}", "180 5000", "180 0"},
		{"beta: 0\ngamma: 0\ncurve: {full_hours: 0.5, half_hours: 0.5}", "15 5000", "15 0"},
		{"beta: 0\ngamma: 0\nminors: {caps: {day_points: 20}}", "180 5000", "20 0"},
		{"beta: 0\ngamma: 0\ncaps: {day_points: 10}\nminors: {caps: {day_points: 20}}", "10 5000", "10 0"},
		// Spend of minors counts only if the policy says how much.
		{"alpha_per_hour: 0\nbeta: 0", "50 5000", "0 0"},
		{"alpha_per_hour: 0\nbeta: 0\nminors: {caps: {day_spend: 0}}", "50 5000", "0 0"},
		{"alpha_per_hour: 0\nbeta: 0\nminors: {caps: {day_spend: 20}}", "50 5000", "20 2000"},
		{"alpha_per_hour: 0\nbeta: 0\ncaps: {day_spend: 10}\nminors: {caps: {day_spend: 20}}", "10 1000", "10 1000"},
		{"alpha_per_hour: 0\ngamma: 0\nminors: {caps: {day_interactions: 30}}", "300 5000", "15 0"},
		{"formula: spend_minor * 1000000", "5000 5000", "0 0"},
	} {
		p, err := score.ParsePolicy([]byte(test.policy))
		if err != nil {
			t.Errorf("%s: %v", test.policy, err)
			continue
		}
		for minor, want := range map[bool]string{false: test.everybody, true: test.then} {
			award := day.ScoreWithin(1, p, score.Bounds{Minor: minor})
			if got := fmt.Sprint(award.PointsMicro/score.Micro, " ", award.SpendMinor); got != want {
				t.Errorf("%s\nminor %v: earned %s, expected %s", test.policy, minor, got, want)
			}
		}
	}
	for text, says := range map[string]string{
		"minors: {curve: {full_hours: 3, half_hours: 2}}": "minors: curve",
		"minors: {caps: {week_points: 3}}":                "week_points",
		"consent: maybe":                                  "required or assumed",
	} {
		if _, err := score.ParsePolicy([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
