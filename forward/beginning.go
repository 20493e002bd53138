package forward

import "bytes"

// putAside gives the transaction back and keeps what the client has sent.
func (cl *client) putAside() {
	cl.said = &beginning{bytes.Clone(cl.x.in), cl.x.began}
	cl.drop()
}

// take takes a transaction for the client's next request, with what was put aside of it.
func (cl *client) take() {
	cl.x = cl.srv.newTransaction(cl)
	if b := cl.said; b != nil {
		cl.x.in, cl.x.began = append(cl.x.in, b.in...), b.began
		cl.said = nil
	}
}
