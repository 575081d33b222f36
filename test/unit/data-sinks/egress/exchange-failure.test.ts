import { describe, expect, it } from '@jest/globals';
import { errors } from 'undici';

import {
  failureOfConnect,
  failureOfExchange,
  failureOfLookup,
  failureOfTls,
} from '../../../../src/data-sinks/egress/exchange-failure.js';

const failing = (code: string) => Object.assign(new Error('failed'), { code });

describe('the error code of a failure', () => {
  it.each([
    ['ENOTFOUND', 'dns_not_found'],
    ['ENODATA', 'dns_not_found'],
    ['EBADNAME', 'dns_not_found'],
    ['EAI_AGAIN', 'resolver_unavailable'],
    ['ESERVFAIL', 'resolver_unavailable'],
    ['ETIMEOUT', 'resolver_unavailable'],
    ['SOMETHING_NEW', 'resolver_unavailable'],
  ])('looking up: %s is %s', (code, expected) => {
    expect(failureOfLookup(failing(code), 'a.org', () => false).code).toBe(expected);
  });

  it.each([
    ['ESERVFAIL', 'dns_not_found'],
    ['EREFUSED', 'dns_not_found'],
    ['ETIMEOUT', 'dns_not_found'],
    ['EAI_AGAIN', 'dns_not_found'],
    // There is no resolver, whatever became of other names.
    ['ECONNREFUSED', 'resolver_unavailable'],
    ['EMFILE', 'resolver_unavailable'],
  ])('looking up, while other names are resolved: %s is %s', (code, expected) => {
    expect(failureOfLookup(failing(code), 'a.org', () => true).code).toBe(expected);
  });

  it.each([
    ['ECONNREFUSED', 'connection_refused'],
    ['ECONNRESET', 'connection_reset'],
    ['ETIMEDOUT', 'connect_timeout'],
    ['EHOSTUNREACH', 'host_unreachable'],
    ['ENETUNREACH', 'host_unreachable'],
    ['SOMETHING_NEW', 'network_error'],
  ])('connecting: %s is %s', (code, expected) => {
    expect(failureOfConnect(failing(code)).code).toBe(expected);
  });

  it('of several addresses is the most informative one', () => {
    const errorOf = (...codes: string[]) => new AggregateError(codes.map(failing));
    expect(failureOfConnect(errorOf('ENETUNREACH', 'ECONNREFUSED')).code).toBe('connection_refused');
    expect(failureOfConnect(errorOf('ENETUNREACH', 'EHOSTUNREACH')).code).toBe('host_unreachable');
  });

  const at = (code: string, address: string) => Object.assign(failing(code), { address });

  it.each(['EADDRNOTAVAIL', 'ENETUNREACH', 'EAFNOSUPPORT'])(
    'a machine without IPv6 (%s) has no way to such an address, and judges the others as ever',
    (code) => {
      const v6 = at(code, '2606:4700::1');
      const withV4 = (other: string) => new AggregateError([at(other, '93.184.216.34'), v6]);
      const failureOf = (error: unknown) => failureOfConnect(error, () => false);
      expect(failureOf(v6).code).toBe('host_unreachable');
      expect(failureOf(new AggregateError([v6, v6])).code).toBe('host_unreachable');
      expect(failureOf(withV4('ECONNREFUSED')).code).toBe('connection_refused');
      expect(failureOf(withV4('EHOSTUNREACH')).code).toBe('host_unreachable');
      expect(() => failureOf(withV4('EMFILE'))).toThrow(AggregateError);
      expect(() => failureOf(withV4('EADDRNOTAVAIL'))).toThrow(AggregateError);
    },
  );

  it('a machine with IPv6 and no free port has run out of a resource', () => {
    const failureOf = (error: unknown) => failureOfConnect(error, () => true);
    const noPort = at('EADDRNOTAVAIL', '2606:4700::1');
    expect(() => failureOf(noPort)).toThrow(noPort);
    expect(() => failureOf(new AggregateError([noPort, noPort]))).toThrow(AggregateError);
    expect(failureOf(new AggregateError([noPort, at('ECONNREFUSED', '93.184.216.34')])).code).toBe(
      'connection_refused',
    );
    // What another address says tells that it has no way to any.
    expect(failureOf(new AggregateError([noPort, at('ENETUNREACH', '2606:4700::2')])).code).toBe('host_unreachable');
    expect(failureOf(at('ENETUNREACH', '2606:4700::1')).code).toBe('host_unreachable');
  });

  it('of several addresses is the receiver’s if one of them reached it', () => {
    const errors = [at('EMFILE', '93.184.216.34'), at('ECONNREFUSED', '93.184.216.35')];
    expect(failureOfConnect(new AggregateError(errors)).code).toBe('connection_refused');
  });

  it.each(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL'])('%s is our own and is thrown', (code) => {
    const error = failing(code);
    expect(() => failureOfConnect(error)).toThrow(error);
  });

  it.each([
    ['CERT_HAS_EXPIRED', 'tls_certificate_expired'],
    ['CERT_NOT_YET_VALID', 'tls_certificate_expired'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls_wrong_host'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls_self_signed'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls_untrusted_certificate'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls_untrusted_certificate'],
    ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'tls_old_protocol'],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'tls_old_protocol'],
    ['ECONNRESET', 'tls_handshake_cut'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls_error'],
  ])('TLS: %s is %s', (code, expected) => {
    expect(failureOfTls(failing(code)).code).toBe(expected);
  });

  it.each([
    ['ECONNRESET', true, false, 'connection_reset'],
    ['ECONNRESET', false, false, 'upload_aborted_by_peer'],
    ['EPIPE', false, false, 'upload_aborted_by_peer'],
    ['UND_ERR_SOCKET', true, true, 'connection_reset'],
    ['UND_ERR_SOCKET', false, true, 'upload_aborted_by_peer'],
    ['UND_ERR_SOCKET', true, false, 'invalid_http_response'],
    ['UND_ERR_HEADERS_OVERFLOW', true, false, 'response_headers_too_large'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', true, false, 'tls_error'],
    ['EHOSTUNREACH', true, false, 'host_unreachable'],
    ['SOMETHING_NEW', true, false, 'network_error'],
  ])('after connecting: %s (uploaded: %s, closed in order: %s) is %s', (code, uploaded, ended, expected) => {
    expect(failureOfExchange(failing(code), uploaded, ended).code).toBe(expected);
  });

  it('of an unparsable response is invalid_http_response', () => {
    expect(failureOfExchange(new errors.HTTPParserError('Expected HTTP/'), true, false).code).toBe(
      'invalid_http_response',
    );
  });

  it('the operator’s detail names all addresses', () => {
    const error = new AggregateError([failing('ECONNREFUSED'), failing('ENETUNREACH')]);
    expect(failureOfConnect(error).operatorDetail).toBe('connecting: failed (ECONNREFUSED); failed (ENETUNREACH)');
  });
});
