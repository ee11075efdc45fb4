package bank

// How long a world keeps the events that it reports, in days after they
// arrived. What was earned by them stays.
const (
	// MinRetentionDays is the horizon within which message ids count once: what
	// lies in it is needed to know a repeated event.
	MinRetentionDays     = 7
	DefaultRetentionDays = 400
	MaxRetentionDays     = 3650
)

// SetRetention says for how many days a world keeps its events from now on. A
// longer time brings nothing back.
type SetRetention struct {
	Key   Key
	World uint32
	Days  uint16 // MinRetentionDays to MaxRetentionDays
}

// AppendTo appends the encoded command.
func (c SetRetention) AppendTo(dst []byte) []byte {
	return le.AppendUint16(le.AppendUint32(begin(dst, kindSetRetention, c.Key), c.World), c.Days)
}

// RetentionSet says for how many days a world keeps its events.
type RetentionSet struct {
	World uint32
	Days  uint16
}

func retentionValid(days uint16) bool { return days >= MinRetentionDays && days <= MaxRetentionDays }

func (s *State) setRetention(r *reader) Refusal {
	world, days := r.u32(), r.u16()
	switch {
	case !r.finished():
		return Malformed
	case s.World(world) == nil:
		return WorldNotFound
	case !retentionValid(days):
		return RetentionInvalid
	}
	s.worlds[world-1].RetentionDays = days
	s.answer = le.AppendUint16(le.AppendUint32(append(s.answer, uint8(factRetentionSet)), world), days)
	return Accepted
}
