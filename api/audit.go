package api

import (
	"context"
	"encoding/hex"
	"encoding/json"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
)

func (s *server) registerAudit() {
	register(s, operation("list-acts", "GET", "/v1/audit", "What operators did, and tried, the newest first", "operators"), operator, s.listActs)
}

func (s *server) listActs(ctx context.Context, _ identity.Principal, in *struct {
	Page
	Operator  string `query:"operator" maxLength:"32" doc:"The name of one operator only."`
	Operation string `query:"operation" maxLength:"64" doc:"This operation only, such as set-monetary-policy."`
	From      string `query:"from" maxLength:"40" doc:"At this time or later, RFC 3339."`
	To        string `query:"to" maxLength:"40" doc:"Before this time."`
}) (*told[wire.Act], error) {
	query := history.ActQuery{Operation: in.Operation, Limit: in.Limit + 1}
	var err error
	if query.FromMS, err = parseTime("from", in.From); err != nil {
		return nil, err
	}
	if query.ToMS, err = parseTime("to", in.To); err != nil {
		return nil, err
	}
	after, err := behind(in.Cursor)
	if err != nil {
		return nil, err
	}
	query.BeforeSeq, query.BeforeIndex = after.Seq, after.Index
	var operators []bank.Operator
	if err := s.Bank.Read(ctx, func(state *bank.State) { operators = state.Operators() }); err != nil {
		return nil, err
	}
	for number, some := range operators {
		if some.Name == in.Operator {
			query.Operator, query.OneOperator = uint32(number), true
		}
	}
	if in.Operator != "" && !query.OneOperator {
		return nil, notFound("operator")
	}
	acts, err := s.History.Acts(ctx, query)
	if err != nil {
		return nil, err
	}
	acts, more := cut(acts, in.Limit)
	out := &told[wire.Act]{s.lag(), wire.List[wire.Act]{Items: []wire.Act{}}}
	for _, a := range acts {
		shown := wire.Act{
			Position: history.Position{Seq: a.Seq, Index: a.Index}.String(), Time: timeText(a.TimeMS), Operator: a.Operator,
			Credential: "key_" + hex.EncodeToString(a.Credential[:]), Operation: a.Operation, Target: a.Target,
			Before: jsonOf(a.Before), After: jsonOf(a.After), Outcome: "done",
		}
		if int(a.Operator) < len(operators) {
			shown.Name = operators[a.Operator].Name
		}
		if a.Refusal != bank.Accepted {
			shown.Outcome = a.Refusal.String()
		}
		out.Body.Items = append(out.Body.Items, shown)
	}
	if more {
		out.Body.NextCursor = out.Body.Items[in.Limit-1].Position
	}
	return out, nil
}

// jsonOf reads what the journal keeps as JSON; nil for nothing.
func jsonOf(text string) (v any) {
	if json.Unmarshal([]byte(text), &v) != nil {
		return nil
	}
	return v
}
