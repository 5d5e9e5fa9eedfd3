package agnost

import (
	"reflect"
	"testing"
)

func TestPayloadsAreRead(t *testing.T) {
	for text, want := range map[string]payload{
		`{}`: {},
		`{"channel":"chat","eventName":"say","message":{"a":1},"data":{},"echo":false}`: {Channel: "chat", EventName: "say", Message: []byte(`{"a":1}`), Data: []byte(`{}`), Echo: false},
		`{"channel":null,"echo":null,"message":null}`:                                   {Message: []byte("null")},
		`{"CHANNEL":"chat","Echo":true}`:                                                {},
	} {
		if got, err := readPayload([]byte(text)); err != nil || !reflect.DeepEqual(*got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"":                      "the argument of the event has to be an object",
		"null":                  "the argument of the event has to be an object",
		`["chat"]`:              "the argument of the event has to be an object",
		`{"channel":7}`:         "channel has to be a text",
		`{"eventName":["say"]}`: "eventName has to be a text",
	} {
		if got, err := readPayload([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%s: %+v, %v, want the error %s", text, got, err, want)
		}
	}
}
