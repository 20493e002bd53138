package tproxy

// The marks and the table of policy routing. They are bits, not values, so that
// other software on the host may keep marks of its own beside them.
const (
	// DivertMark is put on packets that belong to our sockets, by the rules of
	// Setup; the policy rule sends marked packets to DivertTable, whose only
	// route delivers them to this host whatever their destination is.
	DivertMark = 0x1
	// OwnMark is put (SO_MARK) on every socket of ours. The rules let marked
	// packets pass, so that nothing we send is ever taken for a client's. It must
	// differ from DivertMark: a socket with that one would talk to itself.
	OwnMark = 0x2
	// DivertTable is the routing table of DivertMark.
	DivertTable = 100
)
