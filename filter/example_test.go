package filter_test

import (
	"fmt"
	"log"

	"github.com/ambitmq/ambit/filter"
)

func Example() {
	f, err := filter.Parse([]byte(`{"and": [{"exists": "driver"}, {"range": {"speed": {"gt": 50}}}]}`))
	if err != nil {
		log.Fatal(err)
	}
	d, err := filter.ParseDocument([]byte(`{"driver": "Anna", "speed": 57}`), filter.DocumentLimits{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(f.Match(d))
	fmt.Println(f)
	fmt.Println(f.Hash("fleet", "trucks"))
	// Output:
	// true
	// {"and":[{"exists":"driver"},{"range":{"speed":{"gt":50}}}]}
	// 451461ddf3eaa56d0ed291c79c88e910
}

func ExampleParse_error() {
	_, err := filter.Parse([]byte(`{"range": {"speed": {"gt": "50"}}}`))
	fmt.Println(err)
	// Output: "range.speed.gt": must be a number
}

func ExampleMatcher() {
	var rooms filter.Matcher[string]
	for name, src := range map[string]string{
		"all":  `{}`,
		"fast": `{"range": {"speed": {"gt": 50}}}`,
		"lost": `{"missing": "position"}`,
	} {
		f, err := filter.Parse([]byte(src))
		if err != nil {
			log.Fatal(err)
		}
		rooms.Add(name, f)
	}
	d, err := filter.ParseDocument([]byte(`{"speed": 57, "position": [48.1, 11.5]}`), filter.DocumentLimits{})
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range rooms.Match(nil, d) {
		fmt.Println(name)
	}
	// Unordered output:
	// all
	// fast
}
