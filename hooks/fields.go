package hooks

// maxFieldBytes bounds the paths of what a patch names: a long name with many members
// would make many long ones.
const maxFieldBytes = 64 << 10

// fields returns the dotted paths of what a patch sets or removes: of all values that are
// no objects, and of empty ones. If these are too long, the members alone are named.
func (v value) fields() []string {
	paths, size := v.appendFields(nil, "", 0)
	if size <= maxFieldBytes {
		return paths
	}
	paths = paths[:0]
	for _, m := range v.members {
		paths = append(paths, m.name)
	}
	return paths
}

// appendFields appends paths until they have more than maxFieldBytes.
func (v value) appendFields(paths []string, prefix string, size int) ([]string, int) {
	for _, m := range v.members {
		path := prefix + m.name
		if len(m.value.members) > 0 {
			paths, size = m.value.appendFields(paths, path+".", size)
		} else {
			paths, size = append(paths, path), size+len(path)
		}
		if size > maxFieldBytes {
			break
		}
	}
	return paths, size
}
