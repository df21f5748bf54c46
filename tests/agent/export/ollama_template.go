// Renders Modelfile templates by Go's own text/template: go run ollama_template.go
//
// Reads a JSON list of {"template", "messages"} on stdin and writes the list of what each gives. Turns of one speaker in
// a row become one, with an empty line between, as Ollama does before it renders (template/template.go, collate).
package main

import (
	"encoding/json"
	"log"
	"os"
	"strings"
	"text/template"
)

type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type question struct {
	Template string    `json:"template"`
	Messages []message `json:"messages"`
}

func merged(turns []message) []message {
	var whole []message
	for _, turn := range turns {
		if last := len(whole) - 1; last >= 0 && whole[last].Role == turn.Role {
			whole[last].Content += "\n\n" + turn.Content
		} else {
			whole = append(whole, turn)
		}
	}
	return whole
}

func main() {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		log.Fatal(err)
	}
	rendered := []string{}
	for _, asked := range questions {
		parsed, err := template.New("").Parse(asked.Template)
		if err != nil {
			log.Fatal(err)
		}
		var text strings.Builder
		if err := parsed.Execute(&text, map[string]any{"Messages": merged(asked.Messages)}); err != nil {
			log.Fatal(err)
		}
		rendered = append(rendered, text.String())
	}
	if err := json.NewEncoder(os.Stdout).Encode(rendered); err != nil {
		log.Fatal(err)
	}
}
