// OpenAI's SDK for Go. Arguments: whole or stream, a PNG file, a question.
package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"log"
	"os"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

func main() {
	form, picture, question := os.Args[1], os.Args[2], os.Args[3]
	file, err := os.ReadFile(picture)
	if err != nil {
		log.Fatal(err)
	}
	url := "data:image/png;base64," + base64.StdEncoding.EncodeToString(file)
	client := openai.NewClient(option.WithMaxRetries(0))
	ctx := context.Background()
	model, err := client.Models.Get(ctx, "vlm")
	if err != nil {
		log.Fatal(err)
	}
	request := openai.ChatCompletionNewParams{
		Model:       model.ID,
		MaxTokens:   openai.Int(12),
		Temperature: openai.Float(0),
		Messages: []openai.ChatCompletionMessageParamUnion{
			openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
				openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: url}),
				openai.TextContentPart(question),
			}),
		},
	}
	if form == "whole" {
		answer, err := client.Chat.Completions.New(ctx, request)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(answer.Choices[0].Message.Content)
		return
	}
	stream := client.Chat.Completions.NewStreaming(ctx, request)
	for stream.Next() {
		if choices := stream.Current().Choices; len(choices) > 0 {
			fmt.Print(choices[0].Delta.Content)
		}
	}
	if err := stream.Err(); err != nil {
		log.Fatal(err)
	}
}
