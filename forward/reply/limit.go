package reply

// bodySlack is how much more than reply_body_max_size passes when the origin
// did not announce a length, in bytes (fact "without a length the transfer is
// cut about 4 kB above the limit").
const bodySlack = 4096

// bodyPiece is how much of such a reply is moved between two looks at the limit,
// in bytes.
const bodyPiece = 4096

// limit is reply_body_max_size for a body whose length was not announced. 2.6
// looks at the limit every 4 KB, the head as the origin sent it counted in.
//
// A body that ends with the connection and is passed on as such is looked at in
// pieces: the head fills up the first one; a piece is full or what is there; the one
// that crosses limit and slack is the last. What is decoded or coded here is cut at
// the same place.
type limit struct {
	most    int64 // reply_body_max_size; 0 for no limit
	head    int64 // length of the origin's head
	moved   int64
	inParts bool
	begun   int64 // of the present piece
}

// newLimit is the limit for a body behind a head of that length.
func newLimit(most int64, head int, inParts bool) limit {
	l := limit{most: most, head: int64(head), inParts: inParts}
	if inParts {
		l.moved, l.begun = l.head, l.head%bodyPiece
	}
	return l
}

// ask is how many bytes may be asked for at a time.
func (l *limit) ask(most int) int {
	if l.most == 0 || !l.inParts {
		return most
	}
	return min(most, int(bodyPiece-l.begun))
}

// allow is how many of n bytes that are there may be moved, and whether more may
// be afterwards.
func (l *limit) allow(n int) (allowed int, more bool) {
	if l.most == 0 {
		return n, true
	}
	if !l.inParts {
		end := ((l.most+bodySlack)/bodyPiece+1)*bodyPiece - l.head
		allowed = max(0, min(n, int(end-l.moved)))
		l.moved += int64(allowed)
		return allowed, allowed == n
	}
	for more = true; more && allowed < n; {
		piece := min(n-allowed, int(bodyPiece-l.begun))
		allowed += piece
		l.moved, l.begun = l.moved+int64(piece), 0
		more = l.moved <= l.most+bodySlack
	}
	return allowed, more
}
