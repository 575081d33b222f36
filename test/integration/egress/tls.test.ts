import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import type { PushClient } from '../../../src/data-sinks/egress/index.js';
import { type Certificate, createAuthority, selfSigned } from '../../support/egress/certificates.js';
import { fakeResolver } from '../../support/egress/fake-resolver.js';
import { loopbackClient, pushOf } from '../../support/egress/push-client-fixture.js';
import { ReceiverProcess, type ReceiverOptions } from '../../support/egress/receiver-process.js';

const HOST = 'hooks.acme.org';
const ours = createAuthority('Our test authority');
const foreign = createAuthority('Somebody else');
const good = ours.issue({ name: HOST, hosts: [HOST, '127.0.0.1'] });
const past = (days: number) => new Date(Date.now() - days * 86_400_000);

describe('TLS', () => {
  const receivers: ReceiverProcess[] = [];
  let client: PushClient;

  beforeAll(() => {
    client = loopbackClient({
      ca: [ours.cert],
      resolver: fakeResolver(['127.0.0.1']).resolve,
      deadlines: { tlsMs: 1_000 },
    });
  });
  afterAll(() => client.close());
  afterEach(async () => {
    await Promise.all(receivers.splice(0).map((receiver) => receiver.stop()));
  });

  async function start(tls: Certificate & NonNullable<ReceiverOptions['tls']>): Promise<ReceiverProcess> {
    const receiver = await ReceiverProcess.start({ tls });
    receivers.push(receiver);
    return receiver;
  }

  it.each([
    ['a name', HOST],
    ['an address', '127.0.0.1'],
  ])('a certificate of the operator’s own authority for %s is accepted', async (_name, host) => {
    const receiver = await start(good);
    const exchange = await client.post(pushOf(receiver.url('/answer/status/200', host, 'https')));
    expect(exchange).toMatchObject({ result: { kind: 'answered', httpStatus: 200 }, remoteAddress: '127.0.0.1' });
    expect(exchange.timings.tlsMs).toBeGreaterThanOrEqual(0);
    const again = await client.post(pushOf(receiver.url('/answer/status/200', host, 'https')));
    expect(again).toMatchObject({ result: { httpStatus: 200 }, timings: { connectMs: null, tlsMs: null } });
  });

  it.each([
    ['expired', ours.issue({ name: HOST, hosts: [HOST], from: past(9), until: past(1) }), 'tls_certificate_expired'],
    [
      'not yet valid',
      ours.issue({ name: HOST, hosts: [HOST], from: past(-1), until: past(-9) }),
      'tls_certificate_expired',
    ],
    ['for another name', ours.issue({ name: 'other.org', hosts: ['other.org'] }), 'tls_wrong_host'],
    [
      'for a sibling of the name',
      ours.issue({ name: 'x', hosts: ['x.hooks.acme.org', '*.hooks.acme.org'] }),
      'tls_wrong_host',
    ],
    ['self-signed', selfSigned({ name: HOST, hosts: [HOST] }), 'tls_self_signed'],
    ['of an authority that nobody trusts', foreign.issue({ name: HOST, hosts: [HOST] }), 'tls_untrusted_certificate'],
    [
      'behind TLS 1.1',
      { ...good, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      'tls_old_protocol',
    ],
  ])('a certificate %s is refused, and nothing of the payload is sent', async (_name, certificate, code) => {
    const receiver = await start(certificate);
    const exchange = await client.post(pushOf(receiver.url('/answer/status/200', HOST, 'https')));
    expect([exchange.result, exchange.answer]).toEqual([{ kind: 'failed', errorCode: code }, null]);
    expect(exchange.timings.uploadMs).toBeNull();
    const { seen, connections } = await receiver.state();
    expect([seen, connections]).toEqual([[], 1]);
  });

  it('NODE_TLS_REJECT_UNAUTHORIZED=0 does not disable verification', async () => {
    const receiver = await start(selfSigned({ name: HOST, hosts: [HOST] }));
    const saved = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      const exchange = await client.post(pushOf(receiver.url('/answer/status/200', HOST, 'https')));
      expect(exchange.result).toEqual({ kind: 'failed', errorCode: 'tls_self_signed' });
    } finally {
      if (saved === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = saved;
    }
  });

  it('a peer without TLS is tls_error, one that closes the handshake tls_handshake_cut, one that hangs tls_timeout', async () => {
    const codes: unknown[] = [];
    for (const greeting of ['http', 'cut', 'hang']) {
      const receiver = await ReceiverProcess.start({ greeting });
      receivers.push(receiver);
      const { result } = await client.post(pushOf(receiver.url('/', HOST, 'https')));
      codes.push(result.kind === 'failed' ? result.errorCode : result.httpStatus);
    }
    expect(codes).toEqual(['tls_error', 'tls_handshake_cut', 'tls_timeout']);
  });
});
