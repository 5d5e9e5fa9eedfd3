package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// decode stores raw, a value of YAML or a text from a flag or a variable, in a
// setting. The error names the key, the value, and what is allowed. Viper's own
// decoding would cut 1.5 to 1, and take true for 1.
func decode(key string, to reflect.Value, raw any) error {
	if to.Kind() == reflect.Slice {
		return decodeList(key, to, raw)
	}
	if to.Kind() == reflect.Struct {
		return decodeStruct(key, to, raw)
	}
	value, allowed := parse(to.Interface(), raw)
	if allowed == "" {
		to.Set(reflect.ValueOf(value).Convert(to.Type()))
		return nil
	}
	if text, ok := raw.(string); ok {
		raw = strconv.Quote(text)
	}
	return fmt.Errorf("%s: %v is not allowed: must be %s", key, raw, allowed)
}

// parse returns raw as a value of the kind of like, or says what is allowed.
func parse(like, raw any) (value any, allowed string) {
	text, isText := raw.(string)
	switch like.(type) {
	case time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return nil, "a duration such as 500ms, 10s or 24h"
		}
		return d, ""
	case int, int64:
		n, err := wholeNumber(raw)
		if err != nil {
			return nil, "a whole number, or a size such as 64KiB"
		}
		return n, ""
	case bool:
		b, err := strconv.ParseBool(fmt.Sprint(raw))
		if err != nil {
			return nil, "true or false"
		}
		return b, ""
	case string:
		if !isText {
			return nil, "text"
		}
		return text, ""
	case map[string]any:
		if m, ok := raw.(map[string]any); ok {
			return m, ""
		}
		return nil, "names with values"
	}
	return nil, "absent: it has no form in a file" // a kind that settings do not have
}

// decodeList stores a list; a text is one separated by commas.
func decodeList(key string, to reflect.Value, raw any) error {
	var items []any
	switch raw := raw.(type) {
	case []any:
		items = raw
	case []string:
		for _, s := range raw {
			items = append(items, s)
		}
	case string:
		for s := range strings.SplitSeq(raw, ",") {
			items = append(items, strings.TrimSpace(s))
		}
	default:
		return fmt.Errorf("%s: %v is not allowed: must be a list", key, raw)
	}
	list := reflect.MakeSlice(to.Type(), len(items), len(items))
	var faults []error
	for i, item := range items {
		faults = append(faults, decode(fmt.Sprintf("%s[%d]", key, i), list.Index(i), item))
	}
	to.Set(list)
	return errors.Join(faults...)
}

// decodeStruct stores settings inside an item of a list.
func decodeStruct(key string, to reflect.Value, raw any) error {
	fields := map[string]reflect.Value{}
	for i := range to.NumField() {
		fields[to.Type().Field(i).Tag.Get("mapstructure")] = to.Field(i)
	}
	allowed := strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
	values, ok := raw.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: %v is not allowed: must have settings of its own (%s)", key, raw, allowed)
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if field, ok := fields[strings.ToLower(name)]; ok {
			faults = append(faults, decode(key+"."+name, field, values[name]))
		} else {
			faults = append(faults, fmt.Errorf("%s.%s: there is no such setting (there are %s)", key, name, allowed))
		}
	}
	return errors.Join(faults...)
}

// wholeNumber reads 65536, "65536" and "64KiB".
func wholeNumber(raw any) (int64, error) {
	switch raw := raw.(type) {
	case int:
		return int64(raw), nil
	case int64:
		return raw, nil
	case string:
		for unit, bytes := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
			if number, ok := strings.CutSuffix(raw, unit); ok {
				n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
				if n > math.MaxInt64/bytes || n < 0 {
					err = strconv.ErrRange
				}
				return n * bytes, err
			}
		}
		return strconv.ParseInt(raw, 10, 64)
	}
	return 0, strconv.ErrSyntax
}
