<?php

// Reads pushes as lines (see languages.ts) and prints valid or invalid for each.
require $argv[1] . '/verify_push.php';

$text = static fn (string $field): ?string => $field === '-' ? null : base64_decode($field, true);

while (($line = fgets(STDIN)) !== false) {
    $field = explode("\t", rtrim($line, "\n"));
    $body = base64_decode($field[4], true);
    $header = array_map($text, array_slice($field, 5));
    $valid = false;
    foreach (array_map($text, explode(',', $field[3])) as $secret) {
        if ($field[0] === 'x-mt') {
            $valid = $valid || ($header[0] !== null && (verify_x_mt_signature($body, $header[0], $secret)
                || verify_x_mt_signature($body, $header[1], $secret)));
        } else {
            $valid = $valid || verify_standard_webhooks(
                $body, $header[2], $header[3], $header[4], $secret, (int) $field[1], (int) $field[2],
            );
        }
    }
    echo $valid ? "valid\n" : "invalid\n";
}
