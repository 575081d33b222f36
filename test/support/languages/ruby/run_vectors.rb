# frozen_string_literal: true

# Reads pushes as lines (see languages.ts) and prints valid or invalid for each.
require File.join(ARGV.fetch(0), 'verify_push')

text = ->(field) { field == '-' ? nil : field.unpack1('m') }

$stdin.each_line(chomp: true) do |line|
  form, now, tolerance, secrets, body, *headers = line.split("\t", -1)
  body = text.call(body)
  signature, previous, id, timestamp, signatures = headers.map(&text)
  valid = secrets.split(',').map(&text).any? do |secret|
    if form == 'x-mt'
      signature && [signature, previous].any? { |one| VerifyPush.x_mt_signature?(body, one, secret) }
    else
      VerifyPush.standard_webhooks?(body, id, timestamp, signatures, secret,
                                    now: now.to_i, tolerance_seconds: tolerance.to_i)
    end
  end
  puts valid ? 'valid' : 'invalid'
end
