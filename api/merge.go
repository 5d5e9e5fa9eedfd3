package api

import (
	"strconv"

	"github.com/ambitmq/ambit/jsonobject"
)

// merge returns an object with the members of changes, which replace those of
// the same name, or are merged with them where both are objects. What is in an
// array is replaced with it.
func merge(object, changes []byte) ([]byte, error) {
	into, err := jsonobject.Members(object)
	if err != nil {
		return nil, err
	}
	from, err := jsonobject.Members(changes)
	if err != nil {
		return nil, err
	}
	places := make(map[string]int, len(into))
	for i, m := range into {
		places[m.Name] = i
	}
	for _, m := range from {
		i, ok := places[m.Name]
		switch {
		case !ok:
			into = append(into, m)
		case jsonobject.Is(into[i].Value) && jsonobject.Is(m.Value):
			if into[i].Value, err = merge(into[i].Value, m.Value); err != nil {
				return nil, err
			}
		default:
			into[i].Value = m.Value
		}
	}
	return jsonobject.Append(make([]byte, 0, len(object)+len(changes)), into), nil
}

// leaves are the dotted paths of what an object sets: of all values that are no
// objects, and of empty ones.
type leaves struct {
	paths []string
	bytes int
}

// maxLeafBytes bounds the paths: a long name with many members would make many
// long ones.
const maxLeafBytes = 64 << 10

func (l *leaves) add(path string) error {
	if l.bytes += len(path); l.bytes > maxLeafBytes {
		return badDocument.with("body", "fields whose paths have no more than "+itoa(maxLeafBytes)+" bytes together")
	}
	l.paths = append(l.paths, path)
	return nil
}

func (l *leaves) read(prefix string, object []byte) error {
	all, err := jsonobject.Members(object)
	if err != nil {
		return err
	}
	for _, m := range all {
		path, inside := prefix+m.Name, []jsonobject.Member(nil)
		if jsonobject.Is(m.Value) {
			if inside, err = jsonobject.Members(m.Value); err != nil {
				return err
			}
		}
		if len(inside) > 0 {
			err = l.read(path+".", m.Value)
		} else {
			err = l.add(path)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func itoa(n int) string { return strconv.Itoa(n) }
