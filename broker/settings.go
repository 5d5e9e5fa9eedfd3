package broker

import (
	"embed"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"strings"
	"sync"
)

// sources are the files in which settings are described.
//
//go:embed access.go config.go listener.go mapping.go observe.go pocketbase.go presence.go quotas.go roomname.go
var sources embed.FS

// A Setting describes one setting.
type Setting struct {
	// Key is its name within what it is in: packet_bytes.
	Key string
	// Doc says what it means, in sentences on lines.
	Doc string
	// Type is that of its value. A struct, or a slice of one, has settings of its own,
	// which Inner describes.
	Type  reflect.Type
	Index int // of the field
	// Reload says when another value counts after a reload: "now", for "connections" that
	// are made from then on, or "" for after a restart. It is that of a leaf.
	Reload string
	Inner  []Setting
}

// Settings describes the settings of [Config] in their order. The words are those of
// the comments in the code.
func Settings() []Setting {
	return settingsOf(reflect.TypeFor[Config](), describe())
}

func settingsOf(t reflect.Type, docs map[string]string) []Setting {
	var all []Setting
	for i := range t.NumField() {
		f := t.Field(i)
		s := Setting{Key: f.Tag.Get("mapstructure"), Type: f.Type, Index: i, Reload: f.Tag.Get("reload"), Doc: docs[t.Name()+"."+f.Name]}
		inner := f.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			s.Inner = settingsOf(inner, docs)
			if s.Doc == "" {
				s.Doc = docs[inner.Name()]
			}
		}
		for _, name := range []string{f.Name, inner.Name()} {
			if rest, ok := strings.CutPrefix(s.Doc, name+" "); ok {
				s.Doc = s.Key + " " + rest
			}
		}
		s.Doc = inWords(s.Doc, t)
		all = append(all, s)
	}
	return all
}

// camelCase is a name that is no word of a sentence.
var camelCase = regexp.MustCompile(`\b[A-Z]\w*[A-Z]\w*\b`)

// inWords returns a comment with the names of settings instead of those of fields.
func inWords(doc string, t reflect.Type) string {
	return camelCase.ReplaceAllStringFunc(doc, func(name string) string {
		if f, ok := t.FieldByName(name); ok && name != strings.ToUpper(name) {
			return f.Tag.Get("mapstructure")
		}
		return name
	})
}

// describe returns the comments of types, "Log", and fields, "Log.Level".
var describe = sync.OnceValue(func() map[string]string {
	docs := map[string]string{}
	files, err := sources.ReadDir(".")
	if err != nil {
		panic(err) // they are embedded
	}
	for _, f := range files {
		text, err := sources.ReadFile(f.Name())
		if err != nil {
			panic(err) // it is embedded
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Name(), text, parser.ParseComments)
		if err != nil {
			panic(err) // it was compiled
		}
		for _, decl := range file.Decls {
			if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.TYPE {
				describeType(docs, d)
			}
		}
	}
	return docs
})

func describeType(docs map[string]string, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		t, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		docs[t.Name.Name] = strings.TrimSpace(d.Doc.Text())
		if s, ok := t.Type.(*ast.StructType); ok {
			for _, f := range s.Fields.List {
				for _, name := range f.Names {
					docs[t.Name.Name+"."+name.Name] = strings.TrimSpace(f.Doc.Text())
				}
			}
		}
	}
}
