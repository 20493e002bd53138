package dns

import (
	"bytes"
	"errors"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Bounds on what one answer may make us keep.
const (
	maxAddrs    = 128  // addresses of one name
	maxChain    = 16   // CNAME records from the question to the address
	maxRecords  = 1024 // answer records looked at
	maxMessage  = 65535
	udpMessage  = 4096      // receive buffer; we announce no more than 512 octets
	maxTTLValue = 1<<31 - 1 // RFC 2181 section 8: a TTL above is zero
)

// typeAddrs stands for A and, where it is of use, AAAA in the key of a lookup.
const typeAddrs dnsmessage.Type = 0

// question is one question to a server.
type question struct {
	name  string // canonical
	class dnsmessage.Type
}

// reply is what a server's answer to a question holds.
type reply struct {
	rcode     dnsmessage.RCode
	truncated bool
	addrs     []netip.Addr // A and AAAA questions
	name      string       // PTR questions
	ttl       time.Duration
}

var (
	errNotOurs   = errors.New("an answer to another question")
	errMalformed = errors.New("a malformed answer")
)

// appendQuestion puts the message that asks q behind buf.
func appendQuestion(buf []byte, id uint16, q question) ([]byte, error) {
	name, err := dnsmessage.NewName(q.name + ".")
	if err != nil {
		return nil, err
	}
	b := dnsmessage.NewBuilder(buf, dnsmessage.Header{ID: id, RecursionDesired: true})
	if err := b.StartQuestions(); err != nil {
		return nil, err
	}
	err = b.Question(dnsmessage.Question{Name: name, Type: q.class, Class: dnsmessage.ClassINET})
	if err != nil {
		return nil, err
	}
	return b.Finish()
}

// parseReply reads a server's message. errNotOurs means that it is no answer
// to this question: the right one may still come.
func parseReply(msg []byte, id uint16, q question) (reply, error) {
	var p dnsmessage.Parser
	head, err := p.Start(msg)
	if err != nil {
		return reply{}, errMalformed
	}
	if head.ID != id || !head.Response || head.OpCode != 0 {
		return reply{}, errNotOurs
	}
	asked, err := p.Question()
	if err != nil || asked.Type != q.class || asked.Class != dnsmessage.ClassINET || !sameName(asked.Name, q.name) {
		return reply{}, errNotOurs
	}
	r := reply{rcode: head.RCode, truncated: head.Truncated}
	if r.truncated || r.rcode != dnsmessage.RCodeSuccess {
		return r, nil
	}
	if err := p.SkipAllQuestions(); err != nil {
		return reply{}, errMalformed
	}
	records, err := readRecords(&p, q.class)
	if err != nil {
		return reply{}, errMalformed
	}
	r.collect(records, q)
	return r, nil
}

// record is one answer record of a type we look at.
type record struct {
	class         dnsmessage.Type
	owner, target string // target of CNAME and PTR
	addr          netip.Addr
	ttl           time.Duration
}

func readRecords(p *dnsmessage.Parser, class dnsmessage.Type) ([]record, error) {
	var records []record
	for range maxRecords {
		head, err := p.AnswerHeader()
		if err == dnsmessage.ErrSectionDone {
			break
		}
		if err != nil {
			return nil, err
		}
		rec := record{class: head.Type, owner: textName(head.Name)}
		if head.TTL <= maxTTLValue {
			rec.ttl = time.Duration(head.TTL) * time.Second
		}
		if head.Class != dnsmessage.ClassINET || head.Type != class && head.Type != dnsmessage.TypeCNAME {
			if err := p.SkipAnswer(); err != nil {
				return nil, err
			}
			continue
		}
		switch head.Type {
		case dnsmessage.TypeA:
			var a dnsmessage.AResource
			a, err = p.AResource()
			rec.addr = netip.AddrFrom4(a.A)
		case dnsmessage.TypeAAAA:
			var a dnsmessage.AAAAResource
			a, err = p.AAAAResource()
			rec.addr = netip.AddrFrom16(a.AAAA).Unmap()
		case dnsmessage.TypePTR:
			var ptr dnsmessage.PTRResource
			ptr, err = p.PTRResource()
			rec.target = textName(ptr.PTR)
		case dnsmessage.TypeCNAME:
			var cname dnsmessage.CNAMEResource
			cname, err = p.CNAMEResource()
			rec.target = textName(cname.CNAME)
		}
		if err != nil {
			return nil, err
		}
		records = append(records, rec)
	}
	return records, nil
}

// collect follows the CNAME records from the question and takes what belongs
// to the name at their end. Records of other names are not believed. The time
// to live is the shortest of all records used.
func (r *reply) collect(records []record, q question) {
	owner := q.name
	first := true
	shortest := func(ttl time.Duration) {
		if first || ttl < r.ttl {
			r.ttl, first = ttl, false
		}
	}
	for range maxChain {
		next := ""
		for i := range records {
			rec := &records[i]
			if rec.owner != owner {
				continue
			}
			switch {
			case rec.class == dnsmessage.TypeCNAME && next == "":
				next = rec.target
			case rec.addr.IsValid() && len(r.addrs) < maxAddrs:
				r.addrs = append(r.addrs, rec.addr)
			case rec.class == dnsmessage.TypePTR && r.name == "" && askable(rec.target):
				r.name = rec.target
			default:
				continue
			}
			shortest(rec.ttl)
		}
		if len(r.addrs) > 0 || r.name != "" || next == "" {
			return
		}
		owner = next
	}
}

// textName is the canonical text of a name from the wire.
func textName(n dnsmessage.Name) string {
	return canonical(n.String())
}

// sameName compares a name from the wire with a canonical one.
func sameName(n dnsmessage.Name, name string) bool {
	wire, dot := bytes.CutSuffix(n.Data[:n.Length], []byte{'.'})
	return dot && http1.EqualFold(wire, name)
}
