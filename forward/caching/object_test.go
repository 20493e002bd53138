package caching

import (
	"reflect"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/store"
)

// Whatever begins to use an Object says so: forget passes over those that say nothing.
func TestUsedObjectsAreForgotten(t *testing.T) {
	s, err := store.Open(store.Config{Memory: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for name, use := range map[string]func(*Object){
		"accelerate": (*Object).accelerate,
		"Body":       func(o *Object) { o.Body(t.Context(), 0, 7) },
		"readHead":   func(o *Object) { o.readHead(nil) }, // of nothing that is open
		"open":       func(o *Object) { o.open(t.Context(), s, nil, time.Now(), store.Key{1}, nil, false) },
	} {
		var o Object
		use(&o)
		if !o.used && !reflect.DeepEqual(o, Object{Reader: o.Reader}) {
			t.Errorf("%s: something is there, and not marked: %+v", name, o)
		}
		o.forget()
		if o.list = nil; !reflect.DeepEqual(o, Object{Reader: o.Reader, Reply: o.Reply}) || len(o.Reply.Head) > 0 {
			t.Errorf("%s: %+v is left", name, o)
		}
	}
}
