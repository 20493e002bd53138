package acl

// Told is what helpers say about a request beside yes and no. It is immutable
// once somebody has it, so that one can stand for many requests: a helper's cached
// answer, a user whose password was checked.
type Told struct {
	// AuthUser is who the client proved to be (proxy_auth).
	AuthUser string
	// User and Password are what an external ACL helper put in the place of the
	// client's own (user=, password=).
	User, Password string
	// Log goes to access.log (log=, %ea), Message to error pages (message=, %o).
	Log, Message string
	// Tag classifies the request (tag=).
	Tag string
}

// And gives what is known after t when later is told as well: the later word
// counts. Either may be nil.
func (t *Told) And(later *Told) *Told {
	switch {
	case t == nil:
		return later
	case later == nil, t == later:
		return t
	}
	sum := *t
	for _, word := range []struct {
		to  *string
		new string
	}{
		{&sum.AuthUser, later.AuthUser}, {&sum.User, later.User}, {&sum.Password, later.Password},
		{&sum.Log, later.Log}, {&sum.Message, later.Message}, {&sum.Tag, later.Tag},
	} {
		if word.new != "" {
			*word.to = word.new
		}
	}
	if sum == *t {
		return t
	}
	return &sum
}

// Name is the user as logs and hashes know him: who authenticated, else whom an
// external ACL helper named, "" for nobody. t may be nil.
func (t *Told) Name() string {
	switch {
	case t == nil:
		return ""
	case t.AuthUser != "":
		return t.AuthUser
	}
	return t.User
}
