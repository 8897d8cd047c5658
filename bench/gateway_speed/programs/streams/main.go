// Streams keeps a number of streamed answers open, and prints how late their chunks arrive.
//
// Each chunk's content is the time when the upstream, on the same machine, sent it. The result is a
// line of JSON; delays are in milliseconds.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

var (
	url     = flag.String("url", "", "of the chat route")
	key     = flag.String("key", "", "the API key")
	atOnce  = flag.Int("at-once", 20, "streams open at the same time")
	chunks  = flag.Int("chunks", 20, "of one answer")
	pauseMs = flag.Int("pause-ms", 50, "between two chunks of an answer")
	seconds = flag.Float64("seconds", 3, "after which no other answer is begun")
	content = regexp.MustCompile(`"content": ?"(\d+)"`)
)

type result struct {
	Answers  int     `json:"answers"`
	Failures int     `json:"failures"`
	Failure  string  `json:"failure"`
	Chunks   int     `json:"chunks"`
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	Longest  float64 `json:"longest_ms"`
}

func main() {
	flag.Parse()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: *atOnce}}
	deadline := time.Now().Add(time.Duration(*seconds * float64(time.Second)))
	var (
		clients sync.WaitGroup
		lock    sync.Mutex
		delays  []float64
		found   result
	)
	for i := range *atOnce {
		clients.Add(1)
		go func() {
			defer clients.Done()
			// Spread over a pause, so that chunks do not all come at once.
			time.Sleep(time.Duration(*pauseMs*i) * time.Millisecond / time.Duration(*atOnce))
			for time.Now().Before(deadline) {
				measured, err := read(client)
				lock.Lock()
				found.Answers++
				delays = append(delays, measured...)
				if err != nil {
					found.Failures++
					found.Failure = err.Error()
				}
				lock.Unlock()
			}
		}()
	}
	clients.Wait()
	found.Chunks = len(delays)
	if found.Chunks > 0 {
		slices.Sort(delays)
		found.P50, found.P99 = delays[len(delays)/2], delays[len(delays)*99/100]
		found.Longest = delays[len(delays)-1]
	}
	json.NewEncoder(os.Stdout).Encode(found)
}

// read asks once and returns each chunk's delay; an answer without its end or a chunk is an error.
func read(client *http.Client) ([]float64, error) {
	question := fmt.Sprintf(`{"model":"vlm","stream":true,"max_tokens":%d,"seed":%d,`+
		`"messages":[{"role":"user","content":"What is in this picture?"}]}`, *chunks, *pauseMs)
	request, err := http.NewRequest(http.MethodPost, *url, strings.NewReader(question))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+*key)
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	var delays []float64
	done := false
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		now := time.Now().UnixNano()
		if match := content.FindSubmatch(lines.Bytes()); match != nil {
			sent, _ := strconv.ParseInt(string(match[1]), 10, 64)
			delays = append(delays, float64(now-sent)/1e6)
		}
		done = done || lines.Text() == "data: [DONE]"
	}
	if err := lines.Err(); err != nil {
		return delays, err
	}
	if !done || len(delays) != *chunks {
		return delays, fmt.Errorf("%d of %d chunks, end seen: %t", len(delays), *chunks, done)
	}
	return delays, nil
}
