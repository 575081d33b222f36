<?php

declare(strict_types=1);

// Verify a push in PHP 8. Give the raw body: file_get_contents('php://input'), or $request->getContent() in Laravel and Symfony.

/** X-MT-Signature alone. During a rotation, X-MT-Signature-Previous may match instead. */
function verify_x_mt_signature(string $rawBody, ?string $signature, string $secret): bool
{
    // An empty secret is a variable that is not set: anybody can sign with it.
    return $secret !== '' && hash_equals('sha256=' . hash_hmac('sha256', $rawBody, $secret), $signature ?? '');
}

/** webhook-id, webhook-timestamp, webhook-signature: proves the delivery's id and its time too. $now: time(). */
function verify_standard_webhooks(
    string $rawBody,
    ?string $id,
    ?string $timestamp,
    ?string $signatures,
    string $secret,
    int $now,
    int $toleranceSeconds = 300,
): bool {
    if ($id === null || $id === '' || preg_match('/\A[0-9]{1,12}\z/', $timestamp ?? '') !== 1) {
        return false;
    }
    if (abs($now - (int) $timestamp) > $toleranceSeconds) {
        return false;
    }
    $key = str_starts_with($secret, 'whsec_') ? base64_decode(substr($secret, 6), true) : $secret;
    if ($key === false || $key === '') {
        return false;
    }
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$rawBody", $key, true));
    // Several signatures, separated by spaces, come while a secret is being rotated.
    foreach (explode(' ', $signatures ?? '') as $one) {
        if (hash_equals($expected, $one)) {
            return true;
        }
    }
    return false;
}
