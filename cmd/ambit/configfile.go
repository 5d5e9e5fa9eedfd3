package main

import (
	"os"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A configFile is a settings file as it stands there: viper does not say where a
// setting is, and writes all names in small letters.
type configFile struct {
	name string
	root *yaml.Node // a mapping, or nil of an empty file
}

// readConfigFile reads a file that viper has read.
func readConfigFile(name string) (*configFile, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	f := &configFile{name: name}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if len(doc.Content) > 0 {
		f.root = doc.Content[0]
	}
	return f, nil
}

// step is one step of the way to a setting: a name, or a number in brackets.
var step = regexp.MustCompile(`[^.\[\]]+|\[\d+\]`)

// find returns the node of a setting such as listeners[0].tls.cert, or that of the
// nearest one that it is in, and the line where it begins.
func (f *configFile) find(key string) (at *yaml.Node, line int, ok bool) {
	at = f.root
	for _, s := range step.FindAllString(key, -1) {
		name, next := resolved(at), (*yaml.Node)(nil)
		switch {
		case name == nil:
		case name.Kind == yaml.MappingNode:
			for i := 0; i+1 < len(name.Content); i += 2 {
				if strings.EqualFold(name.Content[i].Value, s) {
					next, line = name.Content[i+1], name.Content[i].Line
				}
			}
		case name.Kind == yaml.SequenceNode:
			if n, err := strconv.Atoi(strings.Trim(s, "[]")); err == nil && n < len(name.Content) {
				next = name.Content[n]
				line = next.Line
			}
		}
		if next == nil {
			return at, line, false
		}
		at = next
	}
	return at, line, at != nil
}

// resolved returns what an alias stands for.
func resolved(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// value returns the value of a setting, with its names as they are written.
func (f *configFile) value(key string) (any, bool) {
	n, _, ok := f.find(key)
	if !ok {
		return nil, false
	}
	var v any
	if n.Decode(&v) != nil {
		return nil, false // viper has read it, and says what is wrong with it
	}
	return v, true
}

// where says in words where a setting stands.
func (f *configFile) where(key string) string {
	_, line, _ := f.find(key)
	if line == 0 {
		return f.name
	}
	return f.name + " line " + strconv.Itoa(line)
}
