package main

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"github.com/ambitmq/ambit/broker"
)

// defaultConfigFile is read when it is there and no other is named.
const defaultConfigFile = "ambit.yaml"

// A setting is one leaf of broker.Config.
type setting struct {
	key   string        // limits.packet_bytes
	value reflect.Value // the field itself
}

// variable returns the name of the environment variable of a setting.
func variable(key string) string {
	return "AMBIT_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// settings returns the leaves of a configuration, in the order of its fields.
func settings(cfg *broker.Config) []setting {
	var all []setting
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			key := prefix + v.Type().Field(i).Tag.Get("mapstructure")
			if field := v.Field(i); field.Kind() == reflect.Struct {
				walk(key+".", field)
			} else {
				all = append(all, setting{key, field})
			}
		}
	}
	walk("", reflect.ValueOf(cfg).Elem())
	return all
}

// A source reads settings from flags, variables and a file, the strongest
// first.
type source struct {
	viper *viper.Viper
	flags *pflag.FlagSet
	env   map[string]string // the AMBIT_ variables
	file  *configFile       // nil if there is none
}

// flagOf returns the name of the flag that a setting would have.
func flagOf(key string) string { return strings.ReplaceAll(key, ".", "-") }

// loadConfig returns the configuration that flags, variables and file make
// together, checked. The error reports every fault on a line of its own.
func loadConfig(flags *pflag.FlagSet) (broker.Config, error) {
	cfg := broker.DefaultConfig()
	s := source{viper: viper.New(), flags: flags, env: ambitVariables(os.Environ())}
	all := settings(&cfg)
	if err := s.readFile(); err != nil {
		return cfg, err
	}
	faults := append(s.unknownKeys(all), s.unknownVariables(all)...)
	for _, set := range all {
		if err := s.bind(set.key); err != nil {
			return cfg, err
		}
		raw := s.read(set)
		if raw == nil {
			continue
		}
		faults = append(faults, s.placed(decode(set.key, set.value, raw))...)
	}
	faults = append(faults, s.placed(cfg.Validate())...)
	return cfg, errors.Join(faults...)
}

// placed returns the errors that errors.Join has joined, each of which begins with the
// setting that it is about, with where that comes from.
func (s *source) placed(err error) []error {
	all := each(err)
	for i, err := range all {
		key, _, _ := strings.Cut(err.Error(), ":")
		all[i] = fmt.Errorf("%w%s", err, s.origin(key))
	}
	return all
}

// each returns the errors that errors.Join has joined, however often.
func each(err error) []error {
	var joined interface{ Unwrap() []error }
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &joined):
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, each(e)...)
	}
	return all
}

// read returns the value of a setting, or nil if there is none. Names within it are as
// the file has them.
func (s *source) read(set setting) any {
	if s.file != nil && set.value.Kind() == reflect.Slice && s.stronger(set.key) == "" {
		if v, ok := s.file.value(set.key); ok {
			return v
		}
	}
	return s.viper.Get(set.key)
}

// readFile reads the settings file: the one that is named, or the default one
// if it is there.
func (s *source) readFile() error {
	named := s.env["AMBIT_CONFIG"]
	if f := s.flags.Lookup("config"); f.Changed {
		named = f.Value.String()
	}
	if named == "" {
		if _, err := os.Stat(defaultConfigFile); errors.Is(err, os.ErrNotExist) {
			return nil
		}
		named = defaultConfigFile
	}
	s.viper.SetConfigFile(named)
	s.viper.SetConfigType("yaml")
	err := s.viper.ReadInConfig()
	if parse := (viper.ConfigParseError{}); errors.As(err, &parse) {
		text := strings.TrimSpace(parse.Unwrap().Error())
		return fmt.Errorf("%s: %s", named, strings.ReplaceAll(text, "\n", " "))
	}
	if err == nil {
		s.file, err = readConfigFile(named)
	}
	return err // it names the file
}

// bind lets the variable and the flag of a setting take precedence over the
// file.
func (s *source) bind(key string) error {
	if err := s.viper.BindEnv(key, variable(key)); err != nil {
		return err
	}
	if f := s.flags.Lookup(flagOf(key)); f != nil && f.Changed {
		return s.viper.BindPFlag(key, f)
	}
	return nil
}

// origin says in parentheses where the value of a setting comes from.
func (s *source) origin(key string) string {
	whole, _, _ := strings.Cut(key, "[") // collections[0].name is in collections
	if name := s.stronger(whole); name != "" {
		return fmt.Sprintf(" (from %s)", name)
	}
	if s.file != nil && s.viper.InConfig(whole) {
		return fmt.Sprintf(" (from %s)", s.file.where(key))
	}
	return ""
}

// stronger returns the name of the flag or the variable that gives a setting, which
// counts more than the file, or "".
func (s *source) stronger(key string) string {
	if f := s.flags.Lookup(flagOf(key)); f != nil && f.Changed {
		return "--" + f.Name
	}
	if s.env[variable(key)] != "" {
		return variable(key)
	}
	return ""
}

// unknownKeys reports the keys of the file that are no setting. A section
// without anything in it is none either, but harmless.
func (s *source) unknownKeys(all []setting) []error {
	var faults []error
	keys := s.viper.AllKeys()
	slices.Sort(keys)
	for _, key := range keys {
		isSection := slices.ContainsFunc(all, func(set setting) bool { return strings.HasPrefix(set.key, key+".") })
		isSetting := slices.ContainsFunc(all, func(set setting) bool { return strings.HasPrefix(key+".", set.key+".") })
		value := s.viper.Get(key)
		switch {
		case isSetting, isSection && value == nil: // decode says what is wrong inside a setting
		case isSection:
			faults = append(faults, fmt.Errorf("%s: %v is not allowed: must be a section of settings (from %s)", key, value, s.file.where(key)))
		default:
			faults = append(faults, fmt.Errorf("%s: there is no such setting%s (from %s)", key, hint(key, all), s.file.where(key)))
		}
	}
	return faults
}

// unknownVariables reports the AMBIT_ variables that are no setting.
func (s *source) unknownVariables(all []setting) []error {
	var faults []error
	names := []string{"AMBIT_CONFIG"}
	for _, set := range all {
		names = append(names, variable(set.key))
	}
	for name := range s.env {
		if slices.Contains(names, name) {
			continue
		}
		meant := ""
		if near := nearest(name, names); near != "" {
			meant = fmt.Sprintf(": did you mean %s?", near)
		}
		faults = append(faults, fmt.Errorf("%s: there is no such setting%s (from the environment)", name, meant))
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return faults
}

// ambitVariables returns the variables that begin with AMBIT_ and are not empty,
// but for those that Kubernetes makes up for a service that is named ambit.
func ambitVariables(environ []string) map[string]string {
	madeUp := regexp.MustCompile(`^AMBIT_(SERVICE_(HOST|PORT.*)|PORT(_[0-9]+_(TCP|UDP).*)?)$`)
	vars := map[string]string{}
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "AMBIT_") && value != "" && !madeUp.MatchString(name) {
			vars[name] = value
		}
	}
	return vars
}

// hint says which setting was meant by a key that is none.
func hint(key string, all []setting) string {
	var keys []string
	for _, set := range all {
		if _, last, ok := strings.Cut(set.key, "."); ok && last == key {
			return fmt.Sprintf(": did you mean %s?", set.key)
		}
		keys = append(keys, set.key)
	}
	if near := nearest(key, keys); near != "" {
		return fmt.Sprintf(": did you mean %s?", near)
	}
	return ""
}

// nearest returns the candidate that is the fewest edits away from word, if
// they are few enough for a slip of the fingers.
func nearest(word string, candidates []string) string {
	best, least := "", len(word)/4+2
	for _, c := range candidates {
		if d := edits(word, c); d < least {
			best, least = c, d
		}
	}
	return best
}

// edits returns the Levenshtein distance of two words.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
