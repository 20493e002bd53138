package main

import (
	"encoding/json"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// view gives what a grade looks at in an observation of a play that was so many seconds
// late.
func view(obs map[string]any, grade int, sc *scenario, late int) map[string]any {
	out := map[string]any{"steps": viewSteps(obs, grade, late), "origin": viewOrigin(obs, grade, sc), "logs": viewLogs(obs, grade, sc)}
	for _, k := range []string{"started", "exit"} {
		if v, ok := obs[k]; ok {
			out[k] = v
		}
	}
	return out
}

func viewSteps(obs map[string]any, grade, late int) []any {
	steps := []any{}
	list, _ := obs["steps"].([]any)
	for _, s := range list {
		o := without(s.(map[string]any), "got")
		if extra, ok := o["extra"]; ok && grade == 1 {
			o["extra"] = headless(extra)
		}
		if got, ok := s.(map[string]any)["got"].([]any); ok {
			views := []any{}
			for _, g := range got {
				views = append(views, viewResponse(g.(map[string]any), grade, late))
			}
			o["got"] = views
		}
		steps = append(steps, o)
	}
	return steps
}

func viewResponse(g map[string]any, grade, late int) map[string]any {
	fields, parsed := g["headers"].([]any)
	if !parsed {
		o := without(g)
		if raw, ok := o["raw"]; ok && grade == 1 {
			o["raw"] = headless(raw)
		}
		return o
	}
	o := without(g, "headers", "status", "generated")
	generated, isGenerated := g["generated"].(map[string]any)
	if grade == 1 {
		o["status"] = codeOf(g["status"].(string))
		delete(o, "to_eof")
		delete(o, "chunked")
		if isGenerated {
			o["generated"] = generated["has_body"]
		}
		return o
	}
	o["status"] = g["status"]
	if isGenerated {
		o["generated"] = generated
	}
	age, rest := splitAge(fields, 10+late)
	o["age"], o["headers"] = age, rest
	if grade == 2 {
		o["headers"] = fieldSet(rest)
	}
	return o
}

func viewOrigin(obs map[string]any, grade int, sc *scenario) []any {
	out := []any{}
	list, _ := obs["origin"].([]any)
	for _, e := range list {
		r := e.(map[string]any)
		o := without(r, append([]string{"headers", "conn", "line"}, sc.Ignore...)...)
		line, hasLine := r["line"].(string)
		if grade == 1 {
			if hasLine {
				if words := strings.Split(line, " "); len(words) > 2 {
					line = strings.Join(words[:len(words)-1], " ")
				}
				o["line"] = line
			}
			delete(o, "raw_end")
			out = append(out, o)
			continue
		}
		o["conn"] = r["conn"]
		if hasLine {
			o["line"] = line
		}
		if fields, ok := r["headers"].([]any); ok {
			o["headers"] = fields
			if grade == 2 {
				o["headers"] = fieldSet(fields)
			}
		}
		out = append(out, o)
	}
	if sc.AnyOrder {
		sort.SliceStable(out, func(i, j int) bool { return sortKey(out[i]) < sortKey(out[j]) })
	}
	return out
}

func viewLogs(obs map[string]any, grade int, sc *scenario) map[string]any {
	logs := map[string]any{}
	all, _ := obs["logs"].(map[string]any)
	for name, v := range all {
		lines, present := v.([]any)
		if !present {
			logs[name] = nil
			continue
		}
		out := []any{}
		for _, l := range lines {
			text := l.(map[string]any)["line"].(string)
			if grade == 1 && strings.HasPrefix(text, "{TS} {MS} ") {
				words := strings.Split(text, " ")
				words[4] = "-"
				text = strings.Join(words, " ")
			}
			out = append(out, text)
		}
		if sc.AnyOrder {
			sort.SliceStable(out, func(i, j int) bool { return out[i].(string) < out[j].(string) })
		}
		logs[name] = out
	}
	return logs
}

func without(m map[string]any, keys ...string) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		if !slices.Contains(keys, k) {
			out[k] = v
		}
	}
	return out
}

func sortKey(v any) string {
	b, _ := json.Marshal(v) // keys come sorted
	return string(b)
}

// headless reduces text that begins with a status line to its code and body.
func headless(v any) any {
	s, ok := v.(string)
	if !ok {
		return "generated"
	}
	if !strings.HasPrefix(s, "HTTP/") {
		return s
	}
	head, body, found := strings.Cut(s, "\r\n\r\n")
	if found {
		body = "\r\n\r\n" + body
	}
	return codeOf(head) + body
}

func codeOf(line string) string {
	if m := statusCode.FindStringSubmatch(line); m != nil {
		return m[1]
	}
	return line
}

var maskedAge = regexp.MustCompile(`(?i)^age:\s*\{AGE:(\d+)\}$`)

// splitAge takes an Age of at most small seconds out of the fields: proxies leave it out
// when it is zero, so it is compared apart and with tolerance.
func splitAge(fields []any, small int) (string, []any) {
	age, rest := 0, []any{}
	for _, f := range fields {
		if m := maskedAge.FindStringSubmatch(f.(string)); m != nil {
			age, _ = strconv.Atoi(m[1])
			if age <= small {
				continue
			}
		}
		rest = append(rest, f)
	}
	return "{AGE:" + strconv.Itoa(age) + "}", rest
}

// fieldSet is fields without regard to order and spelling of names.
func fieldSet(fields []any) []any {
	words := []string{}
	for _, f := range fields {
		name, value, found := strings.Cut(f.(string), ":")
		if found {
			words = append(words, strings.ToLower(strings.TrimSpace(name))+": "+strings.TrimSpace(value))
			continue
		}
		words = append(words, f.(string))
	}
	sort.Strings(words)
	out := make([]any, len(words))
	for i, w := range words {
		out[i] = w
	}
	return out
}
