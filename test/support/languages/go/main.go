// Reads pushes as lines (see languages.ts) and prints valid or invalid for each.

package main

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

func text(field string) string {
	decoded, err := base64.StdEncoding.DecodeString(field)
	if field == "-" || err != nil {
		return ""
	}
	return string(decoded)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		field := strings.Split(lines.Text(), "\t")
		now, _ := strconv.ParseInt(field[1], 10, 64)
		tolerance, _ := strconv.Atoi(field[2])
		body := []byte(text(field[4]))
		valid := false
		for _, encoded := range strings.Split(field[3], ",") {
			secret := text(encoded)
			if field[0] == "x-mt" {
				valid = valid || field[5] != "-" && (VerifyXMTSignature(body, text(field[5]), secret) ||
					VerifyXMTSignature(body, text(field[6]), secret))
			} else {
				valid = valid || VerifyStandardWebhooks(body, text(field[7]), text(field[8]), text(field[9]), secret,
					time.Unix(now, 0), time.Duration(tolerance)*time.Second)
			}
		}
		if valid {
			fmt.Println("valid")
		} else {
			fmt.Println("invalid")
		}
	}
}
