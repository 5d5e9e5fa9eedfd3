package broker

import (
	"reflect"
	"strings"
	"testing"
)

// The comments are read from files that have to be named one by one.
func TestWhatIsSaidOfSettingsIsFound(t *testing.T) {
	docs := describe()
	var look func(s reflect.Type)
	look = func(s reflect.Type) {
		if s.Kind() == reflect.Slice {
			s = s.Elem()
		}
		if s.Kind() != reflect.Struct || !strings.HasSuffix(s.PkgPath(), "/broker") {
			return
		}
		if _, ok := docs[s.Name()]; !ok {
			t.Errorf("the comments of %s are not read: name its file in settings.go", s.Name())
		}
		for i := range s.NumField() {
			look(s.Field(i).Type)
		}
	}
	look(reflect.TypeFor[Config]())
}
