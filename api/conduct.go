package api

import (
	"context"
	"strconv"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/conduct"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/patrol"
	"github.com/attentionbank/attentionbank/wire"
)

// Conduct shows the alerts that people's conduct raised. patrol.Patrol is one.
type Conduct interface {
	Alerts(query patrol.Query) (list []conduct.Alert, found bool)
}

func (s *server) registerConduct() {
	register(s, operation("list-alerts", "GET", "/v1/alerts", "Alerts about conduct in markets and in what people earn, the newest first", "markets"), operator, s.listAlerts)
}

func (s *server) listAlerts(ctx context.Context, _ identity.Principal, in *struct {
	Page
	Kind   string `query:"kind" enum:"wash,round_trip,spoof,ramp,pump,farm" doc:"Alerts of this kind only."`
	Market uint32 `query:"market" doc:"Alerts of this market only."`
	Person string `query:"person" maxLength:"32" doc:"Alerts that list this person only."`
}) (*body[wire.List[wire.Alert]], error) {
	query := patrol.Query{Market: in.Market, Before: in.Cursor, Limit: in.Limit + 1}
	query.Kind, query.OneKind = conduct.ParseKind(in.Kind)
	if in.Person != "" {
		id, err := parsePerson(in.Person)
		if err != nil {
			return nil, err
		}
		number, known, err := s.personNumber(ctx, id)
		if err != nil {
			return nil, err
		}
		if !known {
			return nil, notFound("person")
		}
		query.Person = number
	}
	alerts, found := s.Conduct.Alerts(query)
	if !found {
		return nil, badCursor()
	}
	alerts, more := cut(alerts, in.Limit)
	out := &body[wire.List[wire.Alert]]{wire.List[wire.Alert]{Items: []wire.Alert{}}}
	err := s.Bank.Read(ctx, func(state *bank.State) {
		for _, a := range alerts {
			out.Body.Items = append(out.Body.Items, shownAlert(state, &a))
		}
	})
	if err != nil {
		return nil, err
	}
	if more {
		out.Body.NextCursor = out.Body.Items[in.Limit-1].ID
	}
	return out, nil
}

func shownAlert(state *bank.State, a *conduct.Alert) wire.Alert {
	shown := wire.Alert{
		ID: a.ID(), Kind: a.Kind.String(), From: timeText(a.FromMS), To: timeText(a.ToMS), ScorePermille: a.ScorePermille,
		People: []string{}, Evidence: map[string]int64{},
	}
	if a.Market != 0 {
		shown.Market = strconv.FormatUint(uint64(a.Market), 10)
	}
	for _, number := range a.People {
		if id, known := state.PersonID(number); known {
			shown.People = append(shown.People, personText(id))
		}
	}
	for _, order := range a.Orders {
		shown.Orders = append(shown.Orders, strconv.FormatUint(order, 10))
	}
	for _, e := range a.Evidence {
		shown.Evidence[e.Name] = e.Value
	}
	return shown
}
