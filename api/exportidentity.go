package api

import (
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/export"
	"github.com/attentionbank/attentionbank/identity"
)

// identityTables are what identity keeps of a person.
func (x *exported) identityTables() []export.Table {
	return []export.Table{{
		Name: "person", About: "Who you are to the bank.",
		Fields: []export.Field{
			field("person", export.Text, "Your id: random, nothing about you can be computed from it."), field("world", export.Text, "The world that knows you."),
			field("known_since", export.Time, "When the world first named you."), field("number", export.Text, "Of the bank's books; none until something was posted for you."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			world, err := x.worldCode(x.ctx, x.subject.World)
			if err != nil {
				return err
			}
			return emit(personText(x.subject.Person), world, timeText(x.subject.CreatedMS), idText(x.person))
		}),
	}, {
		Name: "names", About: "What the world calls you and your devices.",
		Fields: []export.Field{field("kind", export.Text, "user or device."), field("name", export.Text, "As the world reported it.")},
		Rows: x.rows(func(emit func(...any) error) error {
			for _, ref := range x.known.References {
				kind, name := "user", ref.UserID
				if name == "" {
					kind, name = "device", ref.AnonymousID
				}
				if err := emit(kind, name); err != nil {
					return err
				}
			}
			return nil
		}),
	}, {
		Name: "keys", About: "Your keys. Their secrets are not kept, only SHA-256 sums to know them by.",
		Fields: []export.Field{
			field("key", export.Text, "Its id."), field("label", export.Text, "What you called it."), field("created", export.Time, "When it was made."),
			field("revoked", export.Time, "When it was ended."), field("last_used", export.Time, "Day of the last use."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			for _, key := range x.known.Keys {
				used := ""
				if key.LastUsedDay != 0 {
					used = dayText(key.LastUsedDay)
				}
				if err := emit(key.ID, key.Label, timeText(key.CreatedMS), timeText(key.RevokedMS), used); err != nil {
					return err
				}
			}
			return nil
		}),
	}, x.attributesTable(), x.consentsTable(), x.payeesTable(), x.linksTable()}
}

func (x *exported) attributesTable() export.Table {
	return export.Table{
		Name: "attributes", About: "What the bank's operator has found out about you.",
		Fields: []export.Field{
			field("country", export.Text, "Where you live, ISO 3166-1."), field("age", export.Text, "unknown, minor or adult."),
			field("tier", export.Number, "How well you are known, 0 to 9."), field("revision", export.Text, "How often it was set."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			a, err := x.Identity.Attributes(x.ctx, x.subject.Number)
			if err != nil || a.Revision == 0 {
				return err
			}
			return emit(a.Country, a.Age.String(), int(a.Tier), idText(a.Revision))
		}),
	}
}

func (x *exported) consentsTable() export.Table {
	return export.Table{
		Name: "consents", About: "Your decisions, the oldest first; the last on a purpose holds.",
		Fields: []export.Field{
			field("time", export.Time, "When."), field("purpose", export.Text, "For what."), field("given", export.Bool, "false: withdrawn."),
			field("version", export.Text, "Of the text that you saw."), field("by", export.Text, "person: by your own key; world: its server reported it."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			decisions, err := x.Identity.Consents(x.ctx, x.subject.Number)
			if err != nil {
				return err
			}
			for _, c := range decisions {
				shown := consentOf(c, false)
				if err := emit(shown.Time, shown.Purpose, shown.Given, shown.Version, shown.By); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}

func (x *exported) payeesTable() export.Table {
	return export.Table{
		Name: "payees", About: "The account to which you are paid out, and those to which payouts went.",
		Fields: []export.Field{
			field("payout", export.Text, "Empty for the account that holds now."), field("name", export.Text, "Of its owner."),
			field("iban", export.Text, ""), field("bic", export.Text, ""),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			list, err := x.Identity.Payees(x.ctx, x.subject.Number)
			if err != nil {
				return err
			}
			for _, p := range list {
				if err := emit(idText(p.Payout), p.Name, p.IBAN, p.BIC); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}

func (x *exported) linksTable() export.Table {
	return export.Table{
		Name: "links", About: "The worlds in which you are the same person.",
		Fields: []export.Field{
			field("world", export.Text, "The other world."), field("person", export.Text, "Your id there."), field("from", export.Time, "First day."),
			field("until", export.Time, "First day on which it no longer is."), field("yours", export.Bool, "The other's days belong to you, and not yours to the other."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			links, err := x.Identity.Links(x.ctx, x.subject.Number)
			if err != nil {
				return err
			}
			for _, link := range links {
				shown, err := x.linkOf(x.ctx, x.subject.Number, link)
				if err != nil {
					return err
				}
				if err := emit(shown.World, shown.Person, shown.From, shown.Until, shown.Yours); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}

// rows lets a table that is read once be read, unless the client has gone.
func (x *exported) rows(read func(emit func(...any) error) error) func(emit func(...any) error) error {
	return func(emit func(...any) error) error {
		if err := x.ctx.Err(); err != nil {
			return err
		}
		return read(emit)
	}
}

// decisionText names a decision on a purpose.
func decisionText(d collect.Decision) string {
	return [...]string{collect.Undecided: "undecided", collect.Given: "given", collect.Withdrawn: "withdrawn"}[d]
}

// trustText names the kind of credential by which something was reported.
func trustText(t collect.Trust) string {
	switch t {
	case collect.TrustWrite:
		return identity.Write.String()
	case collect.TrustServer:
		return identity.Server.String()
	}
	return "import"
}
