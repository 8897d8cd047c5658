// Prints, as JSON Schemas, what Tailscale's own Go client sends and reads.
package main

import (
	"encoding"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"tailscale.com/client/tailscale/v2"
)

var wanted = []any{
	tailscale.ACL{},
	tailscale.CreateFederatedIdentityRequest{},
	tailscale.CreateKeyRequest{},
	tailscale.Key{},
}

type schema = map[string]any

// written has each named struct once, under its name.
var written = schema{}

var writesItself = reflect.TypeFor[encoding.TextMarshaler]()

func of(t reflect.Type) schema {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return schema{"type": "integer"}
	case t == reflect.TypeFor[time.Time]():
		return schema{"type": "string", "pattern": `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`}
	case t.Implements(writesItself):
		return schema{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return of(t.Elem())
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return schema{"type": "integer"}
	case reflect.String:
		return schema{"type": "string"}
	case reflect.Slice:
		return schema{"type": "array", "items": of(t.Elem())}
	case reflect.Map:
		return schema{"type": "object", "additionalProperties": of(t.Elem())}
	case reflect.Interface:
		return schema{}
	case reflect.Struct:
		if t.Name() == "" {
			return fieldsOf(t)
		}
		if _, known := written[t.Name()]; !known {
			written[t.Name()] = schema{} // for one that holds itself
			written[t.Name()] = fieldsOf(t)
		}
		return schema{"$ref": "#/$defs/" + t.Name()}
	}
	panic(fmt.Sprintf("nothing is known of %s", t))
}

func fieldsOf(t reflect.Type) schema {
	fields := schema{}
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "-" && name != "" {
			fields[name] = of(field.Type)
		}
	}
	return schema{"type": "object", "properties": fields, "additionalProperties": false}
}

func main() {
	for _, each := range wanted {
		of(reflect.TypeOf(each))
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", " ")
	out.SetEscapeHTML(false)
	if err := out.Encode(written); err != nil {
		panic(err)
	}
}
