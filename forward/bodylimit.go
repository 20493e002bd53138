package forward

// bodySlack is how much more than reply_body_max_size passes when the origin
// did not announce a length, in bytes (fact "without a length the transfer is
// cut about 4 kB above the limit").
const bodySlack = 4096

// bodyPiece is how much of such a reply is moved between two looks at the limit,
// in bytes.
const bodyPiece = 4096

// withinLimit cuts a piece of a body without announced length to what
// reply_body_max_size leaves of it. 2.6 looks at the limit every 4 KB, the head
// counted in.
func (x *transaction) withinLimit(data []byte) []byte {
	if x.maxBody == 0 {
		return data
	}
	most := ((x.maxBody+bodySlack)/bodyPiece+1)*bodyPiece - int64(x.repHead)
	data = data[:max(0, min(int64(len(data)), most-x.passed))]
	x.passed += int64(len(data))
	return data
}

// bodyLimit is the same for a body that ends with the connection. The head as
// the origin sent it fills up the first piece; a piece is full or what is there;
// the one that crosses limit and slack is the last.
type bodyLimit struct{ limit, moved, head int64 }

func newBodyLimit(limit int64, head int) bodyLimit {
	return bodyLimit{limit, int64(head), int64(head) % bodyPiece}
}

// piece is how many bytes may be moved until the next look.
func (b *bodyLimit) piece() int64 { return bodyPiece - b.head }

// take notes that n bytes are moved and reports whether more may be.
func (b *bodyLimit) take(n int64) bool {
	b.moved, b.head = b.moved+n, 0
	return b.moved <= b.limit+bodySlack
}

// allow is how many of n bytes that are there may be moved, and whether more may
// be afterwards.
func (b *bodyLimit) allow(n int) (allowed int, more bool) {
	for more = true; more && allowed < n; {
		piece := min(n-allowed, int(b.piece()))
		allowed += piece
		more = b.take(int64(piece))
	}
	return allowed, more
}

// deliverBounded relays what comes until the origin closes or the limit is
// reached.
func (x *transaction) deliverBounded(have []byte) {
	b := newBodyLimit(x.maxBody, x.repHead)
	n, more := b.allow(len(have))
	if !x.sendWith(have[:n]) {
		return
	}
	for more {
		n := x.relayPiece(b.piece())
		if n == 0 {
			return
		}
		more = b.take(n)
	}
}
