# frozen_string_literal: true

# Verify a push in Ruby, with its own libraries alone. Give the raw body: request.raw_post in Rails, request.body.read in Rack.

require 'openssl'

module VerifyPush
  module_function

  # X-MT-Signature alone. During a rotation, X-MT-Signature-Previous may match instead.
  def x_mt_signature?(raw_body, signature, secret)
    return false if secret.empty? # A variable that is not set: anybody can sign with an empty key.

    equal?("sha256=#{OpenSSL::HMAC.hexdigest('SHA256', secret, raw_body)}", signature)
  end

  # webhook-id, webhook-timestamp, webhook-signature: proves the delivery's id and its time too. now: Time.now.to_i.
  def standard_webhooks?(raw_body, id, timestamp, signatures, secret, now:, tolerance_seconds: 300)
    return false if id.to_s.empty? || !timestamp.to_s.match?(/\A[0-9]{1,12}\z/)
    return false if (now - timestamp.to_i).abs > tolerance_seconds

    key = secret.start_with?('whsec_') ? secret.delete_prefix('whsec_').unpack1('m0') : secret
    return false if key.empty?

    signed = "#{id}.#{timestamp}.".b + raw_body.b
    expected = "v1,#{[OpenSSL::HMAC.digest('SHA256', key, signed)].pack('m0')}"
    # Several signatures, separated by spaces, come while a secret is being rotated.
    signatures.to_s.split.any? { |one| equal?(expected, one) }
  end

  # In constant time.
  def equal?(expected, given)
    given = given.to_s
    expected.bytesize == given.bytesize && OpenSSL.fixed_length_secure_compare(expected, given)
  end
end
