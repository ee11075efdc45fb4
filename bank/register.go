package bank

import "github.com/attentionbank/attentionbank/ledger"

// Bounds that keep the small tables of the state small.
const (
	MaxAssets      = 10_000
	MaxWorlds      = 10_000
	MaxPolicies    = 100_000 // versions of all worlds together
	MaxPolicyBytes = 32 << 10
	MaxSubAccount  = 999
	MaxWeight      = 1_000_000
)

// World is what the bank's rules know of a world.
type World struct {
	Code string
	// ShareWeight is its part in the budget of an epoch.
	ShareWeight uint32
	// RetentionDays is for how many days after they arrived it keeps the events
	// that it reports.
	RetentionDays uint16
	// pendingMicro is the sum of the points of the world that wait for the
	// close of the epochs of either parity.
	pendingMicro [2]int64
}

// Policy is a version of a world's policy.
type Policy struct {
	World, Version uint32
	EffectiveDay   int32
	ForImport      bool
	Text           string
}

func (s *State) registerAsset(r *reader) Refusal {
	code, scale, world := r.text8(), r.u8(), r.u32()
	if !r.finished() {
		return Malformed
	}
	valid := len(code) >= 2 && len(code) <= 24 && codeValid(code, func(c byte) bool {
		return 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
	})
	if !valid {
		return CodeInvalid
	}
	if _, taken := s.books.AssetByCode(string(code)); taken {
		return CodeTaken
	}
	if scale > 18 {
		return ScaleInvalid
	}
	if world != 0 && s.World(world) == nil {
		return WorldNotFound
	}
	if s.books.Assets() >= MaxAssets {
		return TooMany
	}
	number := s.books.AddAsset(string(code), scale, world)
	issuer := s.books.Asset(number).Issuer
	s.answer = le.AppendUint64(le.AppendUint32(append(s.answer, uint8(factAssetRegistered)), number), issuer)
	s.accountOpened(issuer)
	return Accepted
}

func (s *State) registerWorld(r *reader) Refusal {
	code := r.text8()
	if !r.finished() {
		return Malformed
	}
	valid := len(code) >= 1 && len(code) <= 32 && codeValid(code, func(c byte) bool {
		return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-'
	})
	if !valid {
		return CodeInvalid
	}
	if _, taken := s.WorldByCode(string(code)); taken {
		return CodeTaken
	}
	if len(s.worlds) >= MaxWorlds {
		return TooMany
	}
	s.worlds = append(s.worlds, World{Code: string(code), ShareWeight: 1, RetentionDays: DefaultRetentionDays})
	number := uint32(len(s.worlds))
	s.answer = le.AppendUint32(append(s.answer, uint8(factWorldRegistered)), number)
	account, _ := s.books.Open(ledger.Key{OwnerKind: ledger.OwnerWorld, Owner: uint64(number), Asset: ledger.Time})
	s.accountOpened(account)
	return Accepted
}

func (s *State) registerPerson(r *reader) Refusal {
	id := r.id()
	if !r.finished() {
		return Malformed
	}
	s.person(id)
	number, _ := s.PersonByID(id)
	account, _ := s.books.Find(timeAccount(number))
	s.answer = le.AppendUint64(append(s.answer, uint8(factPersonRegistered)), number)
	s.answer = append(le.AppendUint64(s.answer, account), id[:]...)
	return Accepted
}

func timeAccount(person uint64) ledger.Key {
	return ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: ledger.Time}
}

// person returns the number of a person, who is registered if not known.
func (s *State) person(id [16]byte) uint64 {
	if number, found := s.PersonByID(id); found {
		return number
	}
	position := s.people.Append(id)
	s.personOf.Insert(Key(id).hash(), position)
	number := uint64(position + 1)
	account, _ := s.books.Open(timeAccount(number))
	s.accountOpened(account)
	return number
}

func (s *State) openAccount(r *reader) Refusal {
	key := ledger.Key{OwnerKind: ledger.OwnerKind(r.u8()), Owner: r.u64(), Asset: r.u32(), Sub: r.u32()}
	if !r.finished() {
		return Malformed
	}
	switch {
	case key.OwnerKind == ledger.OwnerWorld && (key.Owner == 0 || key.Owner > uint64(len(s.worlds))):
		return WorldNotFound
	case key.OwnerKind == ledger.OwnerPerson && (key.Owner == 0 || key.Owner > uint64(s.people.Len())):
		return PersonNotFound
	case s.books.Asset(key.Asset) == nil:
		return AssetNotFound
	case key.OwnerKind != ledger.OwnerWorld && key.OwnerKind != ledger.OwnerPerson, key.Asset == ledger.Points, s.isCollection(key.Asset):
		return OwnerInvalid
	case key.Sub > MaxSubAccount:
		return TooMany
	}
	number, _ := s.books.Open(key)
	s.accountOpened(number)
	return Accepted
}

func (s *State) setLimits(r *reader) Refusal {
	number, floor, creditLimit := r.u64(), r.i64(), r.i64()
	if !r.finished() {
		return Malformed
	}
	if refusal := s.books.SetLimits(number, floor, creditLimit); refusal != ledger.Accepted {
		return refused(refusal)
	}
	dst := le.AppendUint64(append(s.answer, uint8(factLimitsSet)), number)
	s.answer = appendI64(appendI64(dst, floor), creditLimit)
	return Accepted
}

func (s *State) publishPolicy(r *reader) Refusal {
	policy := Policy{World: r.u32(), EffectiveDay: int32(r.u32()), ForImport: r.bool()}
	text := r.text16()
	if !r.finished() {
		return Malformed
	}
	if s.World(policy.World) == nil {
		return WorldNotFound
	}
	if len(s.policies) >= MaxPolicies {
		return TooMany
	}
	if len(text) > MaxPolicyBytes {
		return PolicyTooLarge
	}
	latest := int32(-1 << 31)
	policy.Version = 1
	for i := range s.policies {
		if s.policies[i].World != policy.World {
			continue
		}
		policy.Version = s.policies[i].Version + 1
		if !s.policies[i].ForImport {
			latest = s.policies[i].EffectiveDay
		}
	}
	if !policy.ForImport {
		// A day that has begun is scored by one policy from its first event to
		// its last.
		if policy.EffectiveDay <= Day(s.nowMS) {
			return PolicyNotAhead
		}
		if policy.EffectiveDay < latest {
			return PolicyOutOfOrder
		}
	}
	policy.Text = string(text)
	s.policies = append(s.policies, policy)
	dst := le.AppendUint32(append(s.answer, uint8(factPolicyPublished)), policy.World)
	s.answer = le.AppendUint32(le.AppendUint32(dst, policy.Version), uint32(policy.EffectiveDay))
	return Accepted
}

func (s *State) setWorldShare(r *reader) Refusal {
	world, weight := r.u32(), r.u32()
	if !r.finished() {
		return Malformed
	}
	if s.World(world) == nil {
		return WorldNotFound
	}
	if weight > MaxWeight {
		return MonetaryPolicyInvalid
	}
	s.worlds[world-1].ShareWeight = weight
	s.answer = le.AppendUint32(le.AppendUint32(append(s.answer, uint8(factWorldShareSet)), world), weight)
	return Accepted
}
