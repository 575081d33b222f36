// Verify a push in Go, with the standard library alone. Give the raw body: io.ReadAll(http.MaxBytesReader(w, r.Body, limit)).

package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// VerifyXMTSignature checks X-MT-Signature alone. During a rotation, X-MT-Signature-Previous may match instead.
func VerifyXMTSignature(rawBody []byte, signature, secret string) bool {
	// A variable that is not set: anybody can sign with an empty key.
	if secret == "" {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(rawBody)
	expected := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	return hmac.Equal([]byte(expected), []byte(signature))
}

var seconds = regexp.MustCompile(`^[0-9]{1,12}$`)

// VerifyStandardWebhooks checks webhook-id, webhook-timestamp and webhook-signature, which prove the delivery's id and
// its time too.
func VerifyStandardWebhooks(rawBody []byte, id, timestamp, signatures, secret string, now time.Time, tolerance time.Duration) bool {
	if id == "" || !seconds.MatchString(timestamp) {
		return false
	}
	signedAt, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || abs(now.Unix()-signedAt) > int64(tolerance.Seconds()) {
		return false
	}
	key := []byte(secret)
	if encoded, generated := strings.CutPrefix(secret, "whsec_"); generated {
		if key, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return false
		}
	}
	if len(key) == 0 {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(rawBody)
	expected := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	// Several signatures, separated by spaces, come while a secret is being rotated.
	for _, one := range strings.Split(signatures, " ") {
		if hmac.Equal([]byte(expected), []byte(one)) {
			return true
		}
	}
	return false
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
