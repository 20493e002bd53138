package forward

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/auth"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/reply"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"github.com/cuttle-proxy/cuttle/forward/store"
	"github.com/cuttle-proxy/cuttle/forward/uses"
)

// Transactions are used again, for other clients: of every field, down to the last
// one of the structs in it, nothing of one request may be seen by the next. What is
// left after reset must be what a new transaction has, whatever was there before;
// of a slice, storage may be left, and nothing in it.
func TestResetForgets(t *testing.T) {
	used, fresh := &transaction{}, &transaction{}
	fields := taint(t, "transaction", reflect.ValueOf(used).Elem())
	if fields < 200 {
		t.Fatalf("%d fields tainted", fields)
	}
	if n := len(differences("transaction", reflect.ValueOf(used).Elem(), reflect.ValueOf(fresh).Elem())); n < fields {
		t.Fatalf("of %d tainted fields %d show", fields, n)
	}
	used.reset()
	fresh.reset()
	for _, d := range differences("transaction", reflect.ValueOf(used).Elem(), reflect.ValueOf(fresh).Elem()) {
		t.Error(d)
	}
}

// ofType is something to put into fields of interface types.
var ofType = map[reflect.Type]any{
	reflect.TypeFor[context.Context]():  context.Background(),
	reflect.TypeFor[error]():            errors.New("left over"),
	reflect.TypeFor[reply.Client]():     new(writer),
	reflect.TypeFor[fetch.Waiting]():    new(transaction),
	reflect.TypeFor[answer]():           new(transaction),
	reflect.TypeFor[sock.Stream]():      new(sock.Conn),
	reflect.TypeFor[acl.Conn]():         new(client),
	reflect.TypeFor[acl.Login]():        new(auth.Credentials),
	reflect.TypeFor[accesslog.Header](): new(http1.Fields),
}

// concurrent reports whether a type only keeps goroutines or processors apart, or is a
// reader of the store, which says nothing once it is closed.
func concurrent(t reflect.Type) bool {
	return t.PkgPath() == "sync" || t == reflect.TypeFor[uses.Part]() || t == reflect.TypeFor[store.Reader]()
}

// taint puts something into every field below v and counts them.
func taint(t *testing.T, path string, v reflect.Value) (fields int) {
	v = reflect.NewAt(v.Type(), v.Addr().UnsafePointer()).Elem() // unexported ones too
	switch v.Kind() {
	case reflect.Struct:
		if concurrent(v.Type()) {
			return 0
		}
		for i := range v.NumField() {
			fields += taint(t, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
		return fields
	case reflect.Array:
		for i := range v.Len() {
			fields += taint(t, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
		return fields
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(7)
	case reflect.String:
		v.SetString("left over")
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 8))
	case reflect.Chan:
		v.Set(reflect.MakeChan(v.Type(), 1))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Interface:
		some, ok := ofType[v.Type()]
		if !ok {
			t.Fatalf("%s: nothing to put into a %v; add it to ofType", path, v.Type())
		}
		v.Set(reflect.ValueOf(some))
	default:
		t.Fatalf("%s: a %v is not known to this test", path, v.Type())
	}
	return 1
}

// differences names the fields in which used is not as fresh.
func differences(path string, used, fresh reflect.Value) (found []string) {
	switch used.Kind() {
	case reflect.Struct:
		if concurrent(used.Type()) {
			return nil
		}
		for i := range used.NumField() {
			found = append(found, differences(path+"."+used.Type().Field(i).Name, used.Field(i), fresh.Field(i))...)
		}
		return found
	case reflect.Array:
		for i := range used.Len() {
			found = append(found, differences(fmt.Sprintf("%s[%d]", path, i), used.Index(i), fresh.Index(i))...)
		}
		return found
	case reflect.Slice:
		if used.Len() == fresh.Len() && used.Len() == 0 {
			return nil
		}
	default:
		if used.Equal(fresh) {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s is %s, and %s in a new transaction", path, shown(used), shown(fresh))}
}

func shown(v reflect.Value) string { return strings.TrimSpace(fmt.Sprintf("%+v", v)) }
