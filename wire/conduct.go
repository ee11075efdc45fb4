package wire

// Alert is a reason to look at the conduct of people, with its evidence.
type Alert struct {
	ID            string           `json:"alert"`
	Kind          string           `json:"kind" enum:"wash,round_trip,spoof,ramp,pump,farm"`
	Market        string           `json:"market,omitempty"`
	From          string           `json:"from" doc:"When what it is about began."`
	To            string           `json:"to"`
	ScorePermille int64            `json:"score_permille" doc:"How clear it is, 0 to 1000."`
	People        []string         `json:"people" doc:"At most 50 of them; the evidence has how many there are."`
	Orders        []string         `json:"orders,omitempty" doc:"Numbers in the market, at most 50 of them."`
	Evidence      map[string]int64 `json:"evidence"`
}
