import { describe, expect, it } from '@jest/globals';
import {
  type SessionRequest,
  StsClient,
  stsOutcome,
} from '../../../../../src/data-sinks/destinations/s3/sts-client.js';
import { ATTEMPT_ADVICE } from '../../../../../src/data-sinks/domain/attempt-advice.js';
import type { PushExchange, PushRequest } from '../../../../../src/data-sinks/egress/index.js';

const TIMINGS = { dnsMs: null, connectMs: null, tlsMs: null, uploadMs: 1, waitMs: 1, totalMs: 2 };
const NOW = Date.parse('2026-05-25T12:00:00Z');

function answered(httpStatus: number, excerpt: string, ending: 'complete' | 'cap' = 'complete'): PushExchange {
  return {
    result: { kind: 'answered', httpStatus, retryAfterMs: 7_000 },
    timings: TIMINGS,
    answer: {
      httpStatus,
      headers: [
        ['x-amzn-RequestId', 'r'],
        ['echo', 'SECRET'],
      ],
      excerpt,
      ending,
    },
    remoteAddress: null,
    operatorDetail: null,
  };
}

const failed = (
  errorCode: 'connect_timeout' | 'address_refused' | 'tls_wrong_host' | 'dns_not_found',
): PushExchange => ({
  result: { kind: 'failed', errorCode },
  timings: TIMINGS,
  answer: null,
  remoteAddress: null,
  operatorDetail: 'why',
});

const error = (code: string): string =>
  `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>User: arn:aws:iam::111122223333:user/inside</Message></Error></ErrorResponse>`;

const TOKEN = 'T'.repeat(4_000);
const session = (given: Readonly<Record<string, string>> = {}): string => {
  const parts = {
    ...{ AccessKeyId: 'ASIA1', SecretAccessKey: 'SECRET', SessionToken: TOKEN, Expiration: '2026-05-25T13:00:00Z' },
    ...given,
  };
  const xml = Object.entries(parts).map(([name, value]) => `<${name}>${value}</${name}>`);
  return `<AssumeRoleResponse><AssumeRoleResult><Credentials>${xml.join('')}</Credentials></AssumeRoleResult></AssumeRoleResponse>`;
};

const REQUEST: SessionRequest = {
  ...{ roleArn: 'arn:aws:iam::999988887777:role/r', externalId: 'ext', region: 'eu-west-1' },
  ...{ sessionName: 'ws_1.ads_1', policy: '{"a":"&="}' },
};
const KEYS = { accessKeyId: 'AKIA', secretAccessKey: 'own-secret', sessionToken: 'own-token' };

function client(exchange: PushExchange, endpointUrl: string | null = null) {
  const sent: PushRequest[] = [];
  const post = async (request: PushRequest): Promise<PushExchange> => {
    sent.push(request);
    return exchange;
  };
  return { sent, sts: new StsClient({ post }, endpointUrl) };
}

const BOMB = `<!DOCTYPE b [<!ENTITY a "aaaa">${'<!ENTITY b "&a;&a;&a;&a;">'.repeat(300)}]>`;

describe('what the service for sessions says', () => {
  it.each([
    [403, error('AccessDenied'), 'HTTP_4XX', 'role_denied', 'FINAL'],
    [400, error('MalformedPolicyDocument'), 'HTTP_4XX', 'role_session_refused', 'FINAL'],
    [400, error('PackedPolicyTooLarge'), 'HTTP_4XX', 'role_session_refused', 'FINAL'],
    [400, error('ValidationError'), 'HTTP_4XX', 'role_session_refused', 'FINAL'],
    [403, error('RegionDisabledException'), 'HTTP_4XX', 'role_region_disabled', 'FINAL'],
    [403, error('ExpiredToken'), 'HTTP_4XX', 'role_credentials_refused', 'RETRY_FREE'],
    [403, error('InvalidClientTokenId'), 'HTTP_4XX', 'role_credentials_refused', 'RETRY_FREE'],
    [403, error('SignatureDoesNotMatch'), 'HTTP_4XX', 'role_credentials_refused', 'RETRY_FREE'],
    [400, error('RequestExpired'), 'HTTP_4XX', 'clock_skewed', 'RETRY_FREE'],
    [400, error('Throttling'), 'HTTP_4XX', 'role_throttled', 'RETRY_FREE'],
    [503, error('ThrottlingException'), 'HTTP_5XX', 'role_throttled', 'RETRY_FREE'],
    [429, '', 'HTTP_4XX', 'role_throttled', 'RETRY_FREE'],
    [500, error('InternalFailure'), 'HTTP_5XX', 'role_service_unavailable', 'RETRY_FREE'],
    [503, error('ServiceUnavailable'), 'HTTP_5XX', 'role_service_unavailable', 'RETRY_FREE'],
    [400, error('SomethingNew'), 'HTTP_4XX', 'role_session_refused', 'FINAL'],
    [500, error('SomethingNew'), 'HTTP_5XX', 'role_service_unavailable', 'RETRY_FREE'],
    [403, '<html><title>Blocked by a proxy</title></html>', 'HTTP_4XX', 'role_service_unavailable', 'RETRY_FREE'],
    [302, '', 'HTTP_3XX', 'role_service_unavailable', 'RETRY_FREE'],
    [200, '<html>Welcome</html>', 'HTTP_5XX', 'role_service_unavailable', 'RETRY_FREE'],
    [200, error('AccessDenied'), 'HTTP_5XX', 'role_denied', 'FINAL'],
    [
      400,
      `${BOMB}<ErrorResponse><Error><Code>&b;</Code></Error></ErrorResponse>`,
      'HTTP_4XX',
      'role_session_refused',
      'FINAL',
    ],
    [500, '<Error><Code>'.repeat(1_000), 'HTTP_5XX', 'role_service_unavailable', 'RETRY_FREE'],
  ] as const)('with %i %.60s is %s, %s: %s', (httpStatus, body, status, errorCode, verdict) => {
    const ended = stsOutcome(answered(httpStatus, body));
    expect(ended).toMatchObject({ status, errorCode, verdict, retryAfterMs: verdict === 'FINAL' ? null : 7_000 });
    expect(ATTEMPT_ADVICE[errorCode].advice).toMatch(/\.$/);
  });

  it.each([
    ['connect_timeout', 'TIMEOUT'],
    ['dns_not_found', 'NETWORK_ERROR'],
    ['tls_wrong_host', 'TLS_ERROR'],
    ['address_refused', 'BLOCKED'],
  ] as const)('without an answer, for %s, is %s and costs no retry: the customer has no part in it', (code, status) => {
    expect(stsOutcome(failed(code))).toEqual({
      ...{ status, errorCode: 'role_service_unavailable', verdict: 'RETRY_FREE' },
      ...{ retryAfterMs: null, receiverDown: false },
    });
  });

  it.each([
    ['cut at 16 KB', answered(200, session(), 'cap')],
    ['without a token', answered(200, session().replace(/<SessionToken>.*<\/SessionToken>/, ''))],
    ['with a token of 10,000 characters', answered(200, session({ SessionToken: 'T'.repeat(10_000) }))],
    ['with a key that no header can carry', answered(200, session({ AccessKeyId: 'A\nB' }))],
    ['with an entity in a key', answered(200, session({ SecretAccessKey: '&b;' }))],
    ['with an end that is none', answered(200, session({ Expiration: 'soon' }))],
    ['with an end in the past', answered(200, session({ Expiration: '2026-05-25T11:59:59Z' }))],
    ['with another status', answered(203, session())],
  ])('with a session %s is none, and shows nothing of it', async (_what, exchange) => {
    const said = await client(exchange).sts.assume(REQUEST, KEYS, NOW);
    expect(said).toMatchObject({ kind: 'refused', outcome: { errorCode: 'role_service_unavailable' } });
    expect(JSON.stringify(said)).not.toMatch(/SECRET|TTTT/);
  });
});

describe('a request for a session', () => {
  it('is signed with the platform’s keys for the region, names role, session, external id and policy', async () => {
    const { sent, sts } = client(answered(200, session()));
    const said = await sts.assume(REQUEST, KEYS, NOW);
    expect(said).toMatchObject({
      kind: 'session',
      session: {
        keys: { accessKeyId: 'ASIA1', secretAccessKey: 'SECRET', sessionToken: TOKEN },
        endsAtMs: NOW + 3_600_000,
      },
      exchange: { answer: { excerpt: '', headers: [['x-amzn-RequestId', 'r']] } },
    });
    const [request] = sent;
    expect(request).toMatchObject({
      ...{ method: 'POST', url: 'https://sts.eu-west-1.amazonaws.com/' },
      headers: {
        authorization: expect.stringContaining('Credential=AKIA/20260525/eu-west-1/sts/aws4_request'),
        'x-amz-date': '20260525T120000Z',
        'x-amz-security-token': 'own-token',
      },
    });
    const form = Object.fromEntries(new URLSearchParams(Buffer.from(request?.body.whole ?? '').toString()));
    expect(form).toEqual({
      ...{ Action: 'AssumeRole', Version: '2011-06-15', RoleArn: REQUEST.roleArn, RoleSessionName: 'ws_1.ads_1' },
      ...{ ExternalId: 'ext', DurationSeconds: '3600', Policy: '{"a":"&="}' },
    });
  });

  it('goes to the host of its region and partition, or to the service that the operator named', async () => {
    const urlOf = async (region: string, endpointUrl: string | null = null): Promise<string | undefined> => {
      const { sent, sts } = client(answered(200, session()), endpointUrl);
      await sts.assume({ ...REQUEST, region }, KEYS, NOW);
      return sent[0]?.url;
    };
    expect(await urlOf('us-gov-west-1')).toBe('https://sts.us-gov-west-1.amazonaws.com/');
    expect(await urlOf('cn-north-1')).toBe('https://sts.cn-north-1.amazonaws.com.cn/');
    expect(await urlOf('eu-west-1', 'https://sts.example.com')).toBe('https://sts.example.com/');
  });
});
