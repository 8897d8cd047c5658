// Upstream stands where the model server is: it reads the whole request, then answers at once.
//
// A streamed answer has as many chunks as the request's max_tokens says, each flushed by itself,
// with the request's seed as the pause between two of them, in milliseconds. A chunk's content is
// the time when it was sent, in nanoseconds since 1970.
package main

import (
	"bytes"
	"fmt"
	"log"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

const whole = `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"vlm","choices":` +
	`[{"index":0,"message":{"role":"assistant","content":"A red square."},"finish_reason":"stop"}],` +
	`"usage":{"prompt_tokens":20,"completion_tokens":4,"total_tokens":24}}`

const chunk = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"vlm",` +
	`"choices":[{"index":0,"delta":{"content":"%d"},"finish_reason":null}]}` + "\n\n"

const last = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"vlm",` +
	`"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\ndata: [DONE]\n\n"

const endBytes = 512

var (
	isStreamed = regexp.MustCompile(`"stream": ?true`)
	maxTokens  = regexp.MustCompile(`"max_tokens": ?(\d+)`)
	seed       = regexp.MustCompile(`"seed": ?(\d+)`)
)

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func main() {
	http.HandleFunc("/health", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/v1/chat/completions", answer)
	// HTTP/2 without TLS, too: our gateway's crossing speaks it, as Traefik does.
	server := http.Server{Addr: os.Args[1], Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	log.Fatal(server.ListenAndServe())
}

func answer(response http.ResponseWriter, request *http.Request) {
	buffer := bodies.Get().(*bytes.Buffer)
	buffer.Reset()
	buffer.Grow(int(max(request.ContentLength, 0)) + bytes.MinRead)
	defer bodies.Put(buffer)
	if _, err := buffer.ReadFrom(request.Body); err != nil {
		return
	}
	fields := ends(buffer.Bytes())
	header := response.Header()
	// So that the client sees what the gateway has added.
	header.Set("X-Seen-Key-Id", request.Header.Get("X-Hub-Key-Id"))
	if isStreamed.Match(fields) {
		header.Set("Content-Type", "text/event-stream")
		stream(response, number(fields, maxTokens), time.Duration(number(fields, seed))*time.Millisecond)
		return
	}
	header.Set("Content-Type", "application/json")
	response.Write([]byte(whole))
}

func stream(response http.ResponseWriter, chunks int, pause time.Duration) {
	flusher := response.(http.Flusher)
	for range chunks {
		time.Sleep(pause)
		if _, err := fmt.Fprintf(response, chunk, time.Now().UnixNano()); err != nil {
			return
		}
		flusher.Flush()
	}
	response.Write([]byte(last))
}

// ends is what a request has before and after its picture. Searching 1 MB would take longer than
// what is measured.
func ends(body []byte) []byte {
	if len(body) <= 2*endBytes {
		return body
	}
	return slices.Concat(body[:endBytes], body[len(body)-endBytes:])
}

// number is the whole number that the pattern finds; 0 where it finds nothing.
func number(fields []byte, pattern *regexp.Regexp) int {
	match := pattern.FindSubmatch(fields)
	if match == nil {
		return 0
	}
	value, _ := strconv.Atoi(string(match[1]))
	return value
}
