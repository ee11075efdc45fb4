package api

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/outbox"
	"github.com/attentionbank/attentionbank/patrol"
)

// lists has a bank for every list, in which it grows. Each adds items so that
// its filters have something to tell apart from the fourth on.
var lists = map[string]func(s *stack) *pages{
	"get-supply": listAssets,
	"list-worlds": func(s *stack) *pages {
		return &pages{stack: s, path: "/v1/worlds", key: s.operator, id: "world", add: func(n int) { s.ok("POST", "/v1/worlds", s.operator, fmt.Sprintf(`{"world":"w%d"}`, n)) }}
	},
	"list-epochs": func(s *stack) *pages {
		return &pages{stack: s, path: "/v1/epochs", id: "epoch", add: func(int) { s.closeEpoch() }}
	},
	"list-world-accounts": func(s *stack) *pages {
		return listAccounts(s, "/v1/worlds/cafe/accounts", s.serverKey, `"world":"cafe"`)
	},
	"list-person-accounts": func(s *stack) *pages {
		return listAccounts(s, "/v1/people/me/accounts", s.person, `"person":"`+s.personID+`"`)
	},
	"get-statement": listStatement,
	"get-operation": func(s *stack) *pages {
		mine, _, issuer := s.gold()
		return &pages{stack: s, path: "/v1/operations/tips", key: s.operator, id: "operation", add: func(int) { s.ok("POST", "/v1/transfers", s.operator, legs("tips", issuer, mine, "1")) }}
	},
	"list-acts":          listActsOf,
	"list-proposals":     listProposalsOf,
	"list-world-keys":    func(s *stack) *pages { return listKeysOf(s, "/v1/worlds/cafe/keys", s.operator) },
	"list-operator-keys": func(s *stack) *pages { return listKeysOf(s, "/v1/operator-keys", s.operator) },
	"list-person-keys":   func(s *stack) *pages { return listKeysOf(s, "/v1/people/me/keys", s.person) },
	"list-policies": func(s *stack) *pages {
		return &pages{stack: s, path: "/v1/worlds/cafe/policies", key: s.person, id: "version", add: func(n int) {
			s.ok("POST", "/v1/worlds/cafe/policies", s.operator, fmt.Sprintf(`{"policy":"alpha_per_hour: %d"}`, n+1))
		}}
	},
	"list-review-rules": func(s *stack) *pages {
		return &pages{stack: s, path: "/v1/review-rules", key: s.operator, id: "version", add: func(int) { s.ok("POST", "/v1/review-rules", s.operator, strictRules) }}
	},
	"list-cases": listCasesOf,
	"list-own-cases": func(s *stack) *pages {
		l := listCasesOf(s)
		l.path, l.key, l.filters = "/v1/people/me/cases", s.person, nil
		return l
	},
	"list-mints":      listMintsOf,
	"list-allowances": listAllowancesOf,
	"list-products": func(s *stack) *pages {
		return &pages{stack: s, path: "/v1/worlds/cafe/products", key: s.person, id: "product", add: func(n int) {
			s.ok("PUT", fmt.Sprintf("/v1/worlds/cafe/products/song-%d", n), s.serverKey, `{"kind":"service","price":"0.5","deadline_seconds":86400,"on_sale":true}`)
			s.ok("PUT", fmt.Sprintf("/v1/worlds/arena/products/tune-%d", n), s.otherServer, `{"kind":"service","price":"0.5","deadline_seconds":86400,"on_sale":true}`)
		}}
	},
	"list-listings": listListingsOf,
	"list-goods":    listGoodsOf,
	"list-own-goods": func(s *stack) *pages {
		l := listGoodsOf(s)
		offered := l.add
		l.path, l.key, l.filters = "/v1/people/me/goods", s.person, nil
		l.add = func(n int) {
			offered(2 * n)
			s.ok("POST", fmt.Sprintf("/v1/goods/%d/purchase", n+1), s.person, `{"max_price":"1"}`)
		}
		return l
	},
	"list-messages": listMessagesOf,
	"list-markets":  func(s *stack) *pages { return &pages{stack: s, path: "/v1/markets", id: "market", add: marketsOf(s)} },
	"list-orders":   listOrdersOf,
	"list-person-orders": func(s *stack) *pages {
		l := listOrdersOf(s)
		l.path = "/v1/people/me/orders"
		l.add = func(n int) {
			market := fmt.Sprint(1 + n%2)
			placed := s.order(s.person, market, "sell", "12", "0.1")["order"].(string)
			switch {
			case n%3 == 0:
				s.ok("POST", "/v1/orders/"+placed+"/cancel", s.person, `{}`)
			case market == "1" && n%4 == 2:
				s.order(s.otherPerson, market, "buy", "12", "0.1")
			}
		}
		status := func(names ...string) func(map[string]any) bool {
			return func(item map[string]any) bool { return slices.Contains(names, item["status"].(string)) }
		}
		l.filters = append(l.filters, filter{query: "status=open", keep: status("open")}, filter{query: "status=ended", keep: status("filled", "cancelled")},
			filter{query: "status=filled", keep: status("filled")}, filter{query: "status=cancelled", keep: status("cancelled")})
		return l
	},
	"list-trades":  func(s *stack) *pages { return listTradesOf(s, "/v1/markets/1/trades", "", "trade") },
	"list-fills":   listFillsOf,
	"list-candles": listCandlesOf,
	"list-alerts":  listAlertsOf,
	"list-payouts": listPayoutsOf,
	"list-payout-files": func(s *stack) *pages {
		l := listPayoutsOf(s)
		l.path, l.id, l.filters = "/v1/payout-files", "file", nil
		l.add = func(n int) {
			s.ok("POST", "/v1/payouts", s.person, `{"asset":"GOLD","amount":"1","min_paid":"0.2"}`)
			s.ok("POST", "/v1/payout-files", s.operator, `{"currency":"EUR"}`)
		}
		return l
	},
}

func listAssets(s *stack) *pages {
	return &pages{stack: s, path: "/v1/supply", id: "asset", add: func(n int) { s.ok("POST", "/v1/assets", s.operator, fmt.Sprintf(`{"asset":"A%d","scale":2}`, n)) }}
}

func listAccounts(s *stack, path, key, owner string) *pages {
	s.ok("POST", "/v1/assets", s.operator, `{"asset":"GOLD","scale":2}`)
	return &pages{stack: s, path: path, key: key, id: "account", add: func(n int) {
		s.ok("POST", "/v1/accounts", key, fmt.Sprintf(`{%s,"asset":"GOLD","sub":%d}`, owner, n+1))
	}}
}

// A transfer has two entries of the account, which a page may part.
func listStatement(s *stack) *pages {
	mine, world, issuer := s.gold()
	return &pages{stack: s, path: "/v1/accounts/" + mine + "/statement", key: s.person, id: "operation", also: []string{"amount"},
		add: func(n int) {
			s.nowMS += 1000
			s.ok("POST", "/v1/transfers", s.operator, `{"legs":[{"from":"`+issuer+`","to":"`+mine+`","amount":"2"},{"from":"`+issuer+`","to":"`+mine+`","amount":"1"}]}`)
			s.ok("POST", "/v1/transfers", s.person, legs("", mine, world, "1"))
		},
		filters: []filter{
			{query: "from=" + timeText(startMS+2500), keep: atLeast("time", timeText(startMS+2500))},
			{query: "to=" + timeText(startMS+2500), keep: below("time", timeText(startMS+2500))},
		}}
}

func listActsOf(s *stack) *pages {
	bo := s.second()
	return &pages{stack: s, path: "/v1/audit", key: s.operator, id: "position",
		add: func(n int) {
			s.nowMS += 1000
			s.ok("POST", "/v1/worlds", []string{s.operator, bo}[n%2], fmt.Sprintf(`{"world":"w%d"}`, n))
			s.ok("PUT", "/v1/worlds/cafe/products/song", s.operator, `{"kind":"service","price":"0.5","deadline_seconds":86400,"on_sale":true}`)
		},
		filters: []filter{
			{query: "operator=bo", keep: member("name", "bo")}, {query: "operation=set-product", keep: member("operation", "set-product")},
			{query: "from=" + timeText(startMS+2500), keep: atLeast("time", timeText(startMS+2500))},
			{query: "to=" + timeText(startMS+2500), keep: below("time", timeText(startMS+2500))},
		}}
}

func listProposalsOf(s *stack) *pages {
	bo := s.second()
	return &pages{stack: s, path: "/v1/proposals", key: s.operator, id: "proposal",
		add: func(n int) {
			s.do("PUT", "/v1/worlds/cafe/share", s.operator, fmt.Sprintf(`{"weight":%d}`, n+2))
			if n%3 == 0 {
				s.ok("POST", fmt.Sprintf("/v1/proposals/%d/approve", n+1), bo, "")
			}
		},
		filters: []filter{{query: "status=open", keep: member("status", "open")}, {query: "status=approved", keep: member("status", "approved")}}}
}

func listKeysOf(s *stack, path, key string) *pages {
	return &pages{stack: s, path: path, key: key, id: "id", add: func(n int) {
		body := `{}`
		if strings.Contains(path, "worlds") {
			body = fmt.Sprintf(`{"kind":%q}`, []string{"write", "server"}[n%2])
		}
		s.ok("POST", path, key, body)
	}}
}

func listCasesOf(s *stack) *pages {
	h := &holding{stack: s}
	s.ok("POST", "/v1/review-rules", s.operator, strictRules)
	return &pages{stack: s, path: "/v1/cases", key: s.operator, id: "case",
		add: func(n int) {
			decide := func(number, decision string) {
				s.ok("POST", "/v1/cases/"+number+"/decision", s.operator, `{"decision":"`+decision+`"}`)
			}
			s.nowMS += dayMS // a person has one case a day
			decide(h.openCase(s.personID, bank.OpenCase{Signals: uint32(1 + n%2)}), []string{"release", "uphold"}[n%2])
			if n%3 == 0 {
				decide(h.openCase(s.otherPersonID, bank.OpenCase{Signals: 1}), "release")
			}
		},
		filters: []filter{
			{query: "status=released", keep: member("status", "released")}, {query: "person=" + s.otherPersonID, keep: member("person", s.otherPersonID)},
			{query: "signal=regularity", keep: func(item map[string]any) bool {
				return item["signals"].([]any)[0].(map[string]any)["signal"] == "regularity"
			}},
		}}
}

func listMintsOf(s *stack) *pages {
	return &pages{stack: s, path: "/v1/people/me/mints", key: s.person, id: "operation",
		add: func(n int) {
			if n > 0 {
				s.nowMS += dayMS
			}
			s.mint(bank.Day(s.nowMS), int64(n+1))
		},
		filters: []filter{{query: "from=" + dayText(bank.Day(startMS)+2), keep: atLeast("day", dayText(bank.Day(startMS)+2))}}}
}

func listAllowancesOf(s *stack) *pages {
	return &pages{stack: s, path: "/v1/people/me/allowances", key: s.person, id: "world", add: func(n int) {
		code := fmt.Sprintf("w%d", n)
		s.ok("POST", "/v1/worlds", s.operator, `{"world":"`+code+`"}`)
		s.ok("PUT", "/v1/people/me/allowances/"+code, s.person, `{"daily":"1"}`)
	}}
}

func listListingsOf(s *stack) *pages {
	s.shop()
	for _, asset := range []string{"SHIELD", "HELMET"} {
		s.ok("POST", "/v1/assets", s.operator, `{"asset":"`+asset+`","scale":0,"world":"cafe"}`)
		s.grant(s.person, s.personID, asset, "100")
	}
	return &pages{stack: s, path: "/v1/listings", key: s.person, id: "listing",
		add: func(n int) {
			s.ok("POST", "/v1/listings", s.person, `{"asset":"`+[]string{"SHIELD", "HELMET"}[n%2]+`","quantity":1,"price":"1.5"}`)
		},
		filters: []filter{{query: "asset=SHIELD", keep: member("asset", "SHIELD")}}}
}

func listGoodsOf(s *stack) *pages {
	s.earn(s.personID, 6_000_000_000)
	s.nowMS += 25 * 60 * 60 * 1000
	s.ok("POST", "/v1/assets", s.operator, `{"asset":"LAND","scale":0,"world":"cafe"}`)
	s.ok("PUT", "/v1/collections/LAND", s.serverKey, `{"refund_window_seconds":86400,"royalty_bps":1000,"givable":true}`)
	return &pages{stack: s, path: "/v1/collections/LAND/goods", key: s.person, id: "id",
		add: func(n int) {
			s.ok("PUT", fmt.Sprintf("/v1/collections/LAND/goods/%d,0", n), s.serverKey, `{"price":"`+fmt.Sprint((n+1)%2)+`"}`)
		},
		filters: []filter{{query: "on_sale=true", keep: func(item map[string]any) bool { return item["price"] != nil }}}}
}

func listMessagesOf(s *stack) *pages {
	return &pages{stack: s, path: "/v1/worlds/cafe/messages", key: s.serverKey, id: "message", add: func(n int) {
		number := uint64(n)
		message := outbox.Message{Number: number + 1, World: 1, Kind: "purchase.made", Body: []byte("{}")}
		if err := s.server.Webhooks.Store.Keep(context.Background(), number, outbox.Cursor{Seq: number + 1}, []outbox.Message{message}); err != nil {
			s.Fatal(err)
		}
	}}
}

// grant issues so much of an asset to a person.
func (s *stack) grant(key, personID, asset, amount string) {
	s.Helper()
	supply, _ := s.items("/v1/supply?limit=500", "")
	of := slices.IndexFunc(supply, member("asset", asset))
	account := s.ok("POST", "/v1/accounts", key, `{"person":"`+personID+`","asset":"`+asset+`"}`)["account"].(string)
	s.ok("POST", "/v1/transfers", s.operator, legs("", supply[of]["issuer"].(string), account, amount))
}

// Payouts of two people out of two assets in two currencies, some in a file and
// some cancelled.
func listPayoutsOf(s *stack) *pages {
	s.gold()
	s.payouts()
	for _, asset := range []string{`{"asset":"CHF","scale":2}`, `{"asset":"SILVER","scale":2,"world":"cafe"}`} {
		s.ok("POST", "/v1/assets", s.operator, asset)
	}
	s.ok("PUT", "/v1/payout-rates/SILVER", s.operator, `{"currency":"CHF","paid":"0.07","per":"0.30","open":true}`)
	s.ok("PUT", "/v1/people/"+s.otherPersonID+"/attributes", s.operator, `{"country":"DE","age":"adult","tier":2}`)
	s.ok("PUT", "/v1/people/me/payee", s.otherPerson, `{"name":"Bob","iban":"`+annsIBAN+`"}`)
	s.grant(s.person, s.personID, "GOLD", "1000")
	s.grant(s.person, s.personID, "SILVER", "1000")
	s.grant(s.otherPerson, s.otherPersonID, "GOLD", "1000")
	return &pages{stack: s, path: "/v1/payouts", key: s.operator, id: "payout",
		add: func(n int) {
			who, asset := []string{s.person, s.otherPerson, s.person}[n%3], []string{"GOLD", "GOLD", "SILVER"}[n%3]
			asked := s.ok("POST", "/v1/payouts", who, `{"asset":"`+asset+`","amount":"1","min_paid":"0.2"}`)["payout"].(string)
			if n == 1 {
				s.ok("POST", "/v1/payout-files", s.operator, `{"currency":"EUR"}`)
			} else if n%4 == 0 {
				s.ok("POST", "/v1/payouts/"+asked+"/cancel", who, `{}`)
			}
		},
		filters: []filter{
			{query: "status=cancelled", keep: member("status", "cancelled")}, {query: "status=pending", keep: member("status", "pending")},
			{query: "asset=SILVER", keep: member("asset", "SILVER")}, {query: "currency=EUR", keep: member("currency", "EUR")},
			{query: "file=1", keep: member("file", "1")}, {query: "person=" + s.otherPersonID, keep: member("person", s.otherPersonID)},
		}}
}

// manyOrders lets people trade as often as they like.
func (s *stack) manyOrders() {
	s.Helper()
	s.ok("PUT", "/v1/tiers/0", s.operator, `{"tier":0,"order":"1000000","daily":"1000000","holdings":"1000000","open_orders":10000,"messages_per_second":1000000,"messages_burst":1000000}`)
}

// marketsOf opens markets of ever new assets in COIN.
func marketsOf(s *stack) func(n int) {
	return func(n int) {
		asset := fmt.Sprintf("GEM%d", n)
		s.ok("POST", "/v1/assets", s.operator, `{"asset":"`+asset+`","scale":0,"world":"cafe"}`)
		s.ok("POST", "/v1/markets", s.operator, strings.Replace(newMarket("10"), "COIN", asset, 1))
	}
}

// Orders in two markets, in turns.
func listOrdersOf(s *stack) *pages {
	s.market("continuous")
	s.manyOrders()
	s.secondMarket()
	return &pages{stack: s, path: "/v1/orders", key: s.person, id: "order",
		add:     func(n int) { s.order(s.person, fmt.Sprint(1+n%2), "sell", "12", "0.1") },
		filters: []filter{{query: "market=2", keep: member("market", "2")}}}
}

// secondMarket opens a market of TIME in ORE.
func (s *stack) secondMarket() (number string) {
	s.Helper()
	s.ok("POST", "/v1/assets", s.operator, `{"asset":"ORE","scale":2,"world":"cafe"}`)
	number = s.ok("POST", "/v1/markets", s.operator, `{"base":"TIME","quote":"ORE","mode":"continuous","lot":"0.1","tick":"0.1","maker_fee_bps":10,"taker_fee_bps":30,"call_fee_bps":20,
		"auction_ms":1000,"random_end_ms":0,"locked_ms":0,"dynamic_band_bps":0,"static_band_bps":0}`)["market"].(string)
	s.ok("POST", "/v1/markets/"+number+"/auction", s.operator, `{"reference":"10"}`)
	s.nowMS += 1000
	return number
}

// trade lets one of two sell to the other, in turns.
func (s *stack) trade(market string, n int, one, other string) (order string) {
	s.Helper()
	if n%2 == 1 {
		one, other = other, one
	}
	order = s.order(one, market, "sell", "10", "0.1")["order"].(string)
	s.order(other, market, "buy", "10", "0.1")
	return order
}

func listTradesOf(s *stack, path, key, id string) *pages {
	s.market("continuous")
	s.manyOrders()
	s.grant(s.person, s.personID, "COIN", "100")
	return &pages{stack: s, path: path, key: key, id: id, add: func(n int) { s.trade("1", n, s.person, s.otherPerson) }}
}

func listFillsOf(s *stack) *pages {
	l := listTradesOf(s, "/v1/people/me/fills", s.person, "operation")
	second := s.secondMarket()
	s.grant(s.person, s.personID, "ORE", "100")
	s.grant(s.otherPerson, s.otherPersonID, "ORE", "100")
	first := s.trade("1", 0, s.person, s.otherPerson)
	l.add = func(n int) { s.trade([]string{"1", second}[n%2], n/2, s.person, s.otherPerson) }
	l.filters = []filter{{query: "order=" + first, keep: member("order", first)}, {query: "market=2", keep: member("market", "2")}}
	return l
}

func listCandlesOf(s *stack) *pages {
	l := listTradesOf(s, "/v1/markets/1/candles?resolution=1m", "", "start")
	began := s.nowMS / minuteMS * minuteMS
	l.add = func(n int) {
		s.nowMS += minuteMS
		s.trade("1", n, s.person, s.otherPerson)
	}
	at := timeText(began + 3*minuteMS)
	l.filters = []filter{{query: "from=" + at, keep: atLeast("start", at)}, {query: "to=" + at, keep: below("start", at)}}
	return l
}

// Two people who pass the same to and fro raise an alert, alice and bob in one
// market, alice and carl in another.
func listAlertsOf(s *stack) *pages {
	watch := s.server.Conduct.(*patrol.Patrol)
	follow := func() {
		if err := watch.CatchUp(context.Background(), startMS); err != nil {
			s.Fatal(err)
		}
	}
	follow()
	_, carlID, carl := s.addWorld("plaza", "carl")
	s.earn(carlID, 600_000_000)
	s.market("continuous")
	s.manyOrders()
	second := s.secondMarket()
	for asset, people := range map[string]map[string]string{"COIN": {s.personID: s.person}, "ORE": {s.personID: s.person, carlID: carl}} {
		for id, key := range people {
			s.grant(key, id, asset, "1000")
		}
	}
	return &pages{stack: s, path: "/v1/alerts", key: s.operator, id: "alert",
		add: func(n int) {
			market, other := "1", s.otherPerson
			if n%2 == 1 {
				market, other = second, carl
			}
			for i := range 8 {
				s.nowMS += 1000
				s.trade(market, i, s.person, other)
			}
			s.nowMS += 25 * 60 * 60 * 1000
			if _, err := s.bank.Submit(context.Background(), bank.AppendTick(nil)); err != nil {
				s.Fatal(err)
			}
			follow()
		},
		filters: []filter{
			{query: "market=2", keep: member("market", "2")},
			{query: "kind=round_trip", keep: member("kind", "round_trip"), alike: true}, {query: "kind=spoof", keep: member("kind", "spoof"), alike: true},
			{query: "person=" + carlID, keep: func(item map[string]any) bool { return slices.Contains(item["people"].([]any), any(carlID)) }},
		}}
}
