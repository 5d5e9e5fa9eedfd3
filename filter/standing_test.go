package filter

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// An entry that another filter needs stays while it is no filter itself.
func TestUpdateKnowsAFilterThatWentAndCameAgain(t *testing.T) {
	v := newVersions(t)
	v.add("a", `{"exists":"a"}`)
	v.add("both", `{"and":[{"exists":"a"},{"exists":"b"}]}`)
	put := func() { v.put(0, `{"a":1,"b":2}`) }
	put()
	put()
	v.remove("a")
	put()
	v.add("a", `{"exists":"a"}`)
	put()
	put()
	for range 2 { // with nothing between
		v.remove("a")
		put()
		v.add("a", `{"exists":"a"}`)
		v.remove("a")
		put()
		v.add("a", `{"exists":"a"}`)
		put()
	}
}

// Filters of so few conditions that an entry is a filter, a condition of
// another, both, or neither by turns.
func TestUpdateAgreesWhereFiltersShareConditions(t *testing.T) {
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 7))
		var conditions, bodies [3]string
		for i := range conditions {
			conditions[i], bodies[i] = randomFilter(random, 1), randomDocument(random)
			if random.IntN(2) == 0 {
				conditions[i] = `{"not":` + conditions[i] + `}`
			}
		}
		pick := func(from [3]string) string { return from[random.IntN(3)] }
		v := newVersions(t)
		for range 200 {
			key := fmt.Sprint(random.IntN(6))
			switch random.IntN(8) {
			case 0, 1:
				v.add(key, pick(conditions))
			case 2:
				v.add(key, fmt.Sprintf(`{"%s":[%s,%s]}`, []string{"and", "or"}[random.IntN(2)], pick(conditions), pick(conditions)))
			case 3, 4:
				v.remove(key)
			default:
				v.put(0, pick(bodies))
			}
		}
	}
}

// What is remembered of a position does not know the filters that came since,
// although the position stays.
func TestUpdateFindsNewFiltersWhereAPositionStays(t *testing.T) {
	v := newVersions(t)
	v.add("a", `{"geoDistance":{"p":[48,11],"distance":"1km"}}`)
	v.put(0, `{"speed":60,"p":[48,11]}`)
	v.add("b", `{"and":[{"geoDistance":{"p":[48,11],"distance":"2km"}},{"range":{"speed":{"gt":50}}}]}`)
	for _, speed := range []int{60, 61, 40, 62, 62} {
		v.put(0, fmt.Sprintf(`{"speed":%d,"p":[48,11]}`, speed))
	}
}
