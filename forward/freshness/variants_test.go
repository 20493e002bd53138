package freshness

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/http1"
	"pgregory.net/rapid"
)

// As 2.6 was seen writing them.
func TestVaryData(t *testing.T) {
	for _, c := range []struct{ vary, request, want string }{
		{"Accept-Language, X-Kind", "Accept-Language: en\r\n", `accept-language="en", x-kind`},
		{"Accept", "Accept: text/html;q=0.5, a=b&c %41 \"x\" <>#{}|\\^~[]`'$-_.+!*(),@:/? \xe9\x01\r\n",
			`accept="text%2Fhtml%3Bq%3D0.5,%20a%3Db%26c%20%2541%20%22x%22%20%3C%3E%23%7B%7D%7C%5C%5E%7E%5B%5D%60%27$-_.+!*(),%40%3A%2F%3F%20%E9%01"`},
		{"foo, FOO , Accept-Language", "Foo: a\r\nFoo: b\r\nAccept-Language: x\r\nAccept-Language: y\r\n", `foo="a,%20b", foo="a,%20b", accept-language="x,%20y"`},
		{"Foo", "Foo:\r\n", `foo=""`},
		{"Foo", "", `foo`},
		{"*", "", ""},
		{"Foo, *", "", ""},
		{"", "", ""},
		{"a b", "", ""},
		{`"x"`, "", ""},
	} {
		data, ok := AppendVaryData([]byte("before"), []byte(c.vary), &requestWith(t, "GET", c.request).Fields)
		if string(data) != "before"+c.want || ok != (c.want != "") {
			t.Errorf("%q %q: %q %v, want %q", c.vary, c.request, data, ok, c.want)
		}
	}
}

// Two requests have the same selection exactly when all fields the Vary lists are equal.
func TestVaryDataTellsRequestsApart(t *testing.T) {
	value := rapid.StringMatching(`[a-c"=, %]{0,3}`)
	rapid.Check(t, func(rt *rapid.T) {
		var data [2][]byte
		var values [2][2]string
		for i := range data {
			values[i] = [2]string{strings.TrimSpace(value.Draw(rt, "foo")), strings.TrimSpace(value.Draw(rt, "bar"))}
			req := requestWith(t, "GET", "Foo: "+values[i][0]+"\r\nBar: "+values[i][1]+"\r\n")
			data[i], _ = AppendVaryData(nil, []byte("Foo, Bar"), &req.Fields)
		}
		if same := values[0] == values[1]; same != bytes.Equal(data[0], data[1]) {
			rt.Fatalf("%q: %q", values, data)
		}
	})
}

func TestVariantsAsWritten(t *testing.T) {
	const body = "Key: 7A1C078F87BCFACEA1D9A4DFE2A2C73A\nETag: \"e\"\nVaryData: foo=\"c\"\nVaryData: foo=\"a\"\n" +
		"Key: F497C8E2E93DEDFD34D569D29E24DAF0\nVaryData: foo=\"d\"\n"
	list, err := ParseVariants([]byte(body))
	if err != nil || len(list) != 2 || list[0].ETag != `"e"` || len(list[0].Data) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	if out := AppendVariants(nil, list); string(out) != body {
		t.Errorf("written %q", out)
	}
	if at := SelectVariant(list, []byte(`foo="d"`)); at != 1 {
		t.Errorf("foo=d selects %d", at)
	}
	if at := SelectVariant(list, []byte(`foo="x"`)); at != -1 {
		t.Errorf("foo=x selects %d", at)
	}
	if at := TaggedVariant(list, []byte(`"e"`)); at != 0 {
		t.Errorf("the tag is that of %d", at)
	}
	if at := TaggedVariant(list, nil); at != -1 {
		t.Errorf("no tag is that of %d", at)
	}
	for _, c := range []struct{ request, want string }{
		{"", `"e"`}, {"If-None-Match: \"q\"\r\n", `"q", "e"`}, {"If-None-Match: \"e\"\r\n", ""},
	} {
		if got := string(AppendVariantTags(nil, &requestWith(t, "GET", c.request).Fields, list)); got != c.want {
			t.Errorf("%q: asks with %q, want %q", c.request, got, c.want)
		}
	}
}

func TestVariantsBroken(t *testing.T) {
	for _, body := range []string{
		"VaryData: foo\n", "Key: 12\n", "Key: ZZ1C078F87BCFACEA1D9A4DFE2A2C73A\n", "noise\n",
		strings.Repeat("Key: F497C8E2E93DEDFD34D569D29E24DAF0\n", mostVariants+1),
		"Key: F497C8E2E93DEDFD34D569D29E24DAF0\n" + strings.Repeat("VaryData: a\n", mostSelections+1),
	} {
		if list, err := ParseVariants([]byte(body)); err == nil || list != nil {
			t.Errorf("%q: %d variants, %v", body[:min(len(body), 60)], len(list), err)
		}
	}
}

// A list is what a map from selection to variant would be, as long as it is not full.
func TestAddVariantAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list []Variant
		model := map[string][16]byte{}
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			v := Variant{Key: [16]byte{rapid.Byte().Draw(t, "key") % 5}, Data: []string{rapid.StringMatching(`[a-f]`).Draw(t, "data")}}
			list = AddVariant(list, v)
			model[v.Data[0]] = v.Key
		}
		seen := 0
		for i, v := range list {
			seen += len(v.Data)
			for _, d := range v.Data {
				if model[d] != v.Key || SelectVariant(list, []byte(d)) != i {
					t.Fatalf("%q belongs to %v: %+v", d, model[d], list)
				}
			}
		}
		if seen != len(model) {
			t.Fatalf("%d selections, want %d: %+v", seen, len(model), list)
		}
	})
}

func TestAddVariantIsBounded(t *testing.T) {
	var list []Variant
	for i := range 2 * mostVariants {
		list = AddVariant(list, Variant{Key: [16]byte{byte(i), byte(i >> 8)}, Data: []string{fmt.Sprint(i)}})
	}
	last := fmt.Sprint(2*mostVariants - 1)
	if len(list) != mostVariants || SelectVariant(list, []byte(last)) < 0 || SelectVariant(list, []byte("0")) >= 0 {
		t.Errorf("%d variants", len(list))
	}
	if again, err := ParseVariants(AppendVariants(nil, list)); err != nil || len(again) != len(list) {
		t.Errorf("read again: %d, %v", len(again), err)
	}
	one := []Variant{{Data: nil}}
	for i := range mostSelections + 10 {
		one = AddVariant(one, Variant{Data: []string{fmt.Sprint(i)}})
	}
	if len(one) != 1 || len(one[0].Data) != mostSelections {
		t.Errorf("%d variants, %d selections", len(one), len(one[0].Data))
	}
}

func FuzzVariants(f *testing.F) {
	f.Add([]byte("Key: 7A1C078F87BCFACEA1D9A4DFE2A2C73A\nETag: \"e\"\nVaryData: foo=\"c\"\n"))
	f.Add([]byte("Key: 7A1C078F87BCFACEA1D9A4DFE2A2C73A\r\nVaryData: a\r\n\r\nX: y"))
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := ParseVariants(body)
		if err != nil {
			return
		}
		again, err := ParseVariants(AppendVariants(nil, list))
		if err != nil || !reflect.DeepEqual(again, list) {
			t.Fatalf("%q: %+v, written and read %+v, %v", body, list, again, err)
		}
		AppendVariantTags(nil, &http1.Fields{}, list)
		for _, v := range list {
			for _, d := range v.Data {
				if key, found := FindVariant(body, []byte(d)); !found || key != list[SelectVariant(list, []byte(d))].Key {
					t.Fatalf("%q in %q: %x, %v", d, body, key, found)
				}
			}
		}
	})
}
