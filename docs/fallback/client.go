// Gets a token with whichever of two secrets Auth0 accepts; for each line on stdin, another one. Go 1.16 or later.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"
)

var (
	client  = http.Client{Timeout: 10 * time.Second}
	secrets []string
)

// Both secrets, in the order in which they are tried. An empty fallback is none.
func read() ([]string, error) {
	text, err := os.ReadFile(os.Getenv("SECRETS_FILE"))
	if err != nil {
		return nil, err
	}
	var held struct {
		Current  string `json:"AUTH0_CLIENT_SECRET"`
		Fallback string `json:"AUTH0_CLIENT_SECRET_FALLBACK"`
	}
	if json.Unmarshal(text, &held) != nil {
		return nil, fmt.Errorf("%s is no JSON", os.Getenv("SECRETS_FILE"))
	}
	return without("", []string{held.Current, held.Fallback}), nil
}

func without(one string, all []string) (rest []string) {
	for _, secret := range all {
		if secret != one {
			rest = append(rest, secret)
		}
	}
	return rest
}

func token() (string, error) {
	tried := map[string]bool{}
	for _, again := range []bool{false, true} {
		if again {
			// None was accepted: what was delivered meanwhile is in the file.
			var err error
			if secrets, err = read(); err != nil {
				return "", err
			}
		}
		for _, secret := range secrets {
			if tried[secret] {
				continue
			}
			tried[secret] = true
			answer, err := ask(secret)
			if err != nil {
				return "", err
			}
			defer answer.Body.Close()
			if answer.StatusCode == http.StatusUnauthorized {
				continue // Not this one.
			}
			if answer.StatusCode != http.StatusOK {
				return "", fmt.Errorf("Auth0 answered %s", answer.Status)
			}
			// The one that worked is tried first from now on.
			secrets = append([]string{secret}, without(secret, secrets)...)
			var got struct {
				Token string `json:"access_token"`
			}
			err = json.NewDecoder(answer.Body).Decode(&got)
			return got.Token, err
		}
	}
	return "", fmt.Errorf("Auth0 accepts no secret in %s", os.Getenv("SECRETS_FILE"))
}

func ask(secret string) (*http.Response, error) {
	body, err := json.Marshal(map[string]string{
		"grant_type":    "client_credentials",
		"client_id":     os.Getenv("AUTH0_CLIENT_ID"),
		"client_secret": secret,
		"audience":      os.Getenv("AUTH0_AUDIENCE"),
	})
	if err != nil {
		return nil, err
	}
	return client.Post(os.Getenv("AUTH0_ISSUER_BASE_URL")+"/oauth/token", "application/json", bytes.NewReader(body))
}

func main() {
	var err error
	lines := bufio.NewScanner(os.Stdin)
	if secrets, err = read(); err == nil {
		for more := true; more; more = lines.Scan() {
			if _, err = token(); err != nil {
				break
			}
			fmt.Println("got a token")
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
