import type { AuthScheme, SinkTest } from '../api/types.js';

export interface Snippet {
  readonly name: string;
  readonly says: string;
  readonly text: string;
}

/** Example code for a receiver that verifies pushes of this data source. */
export function snippets(scheme: AuthScheme, test: SinkTest): readonly Snippet[] {
  if (scheme === 'HmacSha256') return signatureSnippets(test);
  const header = test.sent.headers['Authorization'] ?? '';
  return [node(SAYS_HEADER, authorizationInNode(scheme)), python(SAYS_HEADER, authorizationInPython(scheme, header))];
}

const SAYS_RAW = 'Check the bytes as they came: a body that was parsed and written again has another signature.';
const SAYS_HEADER = 'Compare in constant time, so that the comparison’s length gives nothing away.';

function node(says: string, text: string): Snippet {
  return { name: 'Node.js', says, text };
}

function python(says: string, text: string): Snippet {
  return { name: 'Python', says, text };
}

function signatureSnippets(test: SinkTest): readonly Snippet[] {
  return [
    node(
      SAYS_RAW,
      `import { createHmac, timingSafeEqual } from 'node:crypto';

// rawBody: the bytes as they came. headers: with names in lower case.
export function isGenuine(rawBody, headers, secret) {
  const claimed = Buffer.from(String(headers['x-mt-signature']).replace(/^sha256=/, ''), 'hex');
  const expected = createHmac('sha256', secret).update(rawBody).digest();
  return claimed.length === expected.length && timingSafeEqual(claimed, expected);
}
`,
    ),
    python(
      SAYS_RAW,
      `import hashlib
import hmac


def is_genuine(raw_body: bytes, headers, secret: str) -> bool:
    claimed = headers.get("X-MT-Signature", "").removeprefix("sha256=")
    expected = hmac.new(secret.encode(), raw_body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(claimed, expected)
`,
    ),
    {
      name: 'Shell',
      says: 'Checks the signature of this very test: it prints “same” when SECRET is the one that made it.',
      text: shellCheck(test),
    },
  ];
}

function shellCheck({ sent }: SinkTest): string {
  const body = sent.body.replaceAll("'", `'\\''`);
  const signature = (sent.headers['X-MT-Signature'] ?? '').replace(/^sha256=/, '');
  return `SECRET='put your secret here'
printf '%s' '${body}' |
  openssl dgst -sha256 -hmac "$SECRET" -r | grep -q '^${signature}' && echo same || echo different
`;
}

function authorizationInNode(scheme: AuthScheme): string {
  const expected =
    scheme === 'Bearer' ? '`Bearer ${token}`' : "`Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`";
  const parameters = scheme === 'Bearer' ? 'headers, token' : 'headers, username, password';
  return `import { createHash, timingSafeEqual } from 'node:crypto';

const digest = (text) => createHash('sha256').update(text).digest();

// headers: with names in lower case.
export function isGenuine(${parameters}) {
  const expected = ${expected};
  return timingSafeEqual(digest(String(headers['authorization'])), digest(expected));
}
`;
}

function authorizationInPython(scheme: AuthScheme, header: string): string {
  const isBearer = scheme === 'Bearer';
  const expected = isBearer
    ? '"Bearer " + token'
    : '"Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()';
  return `${isBearer ? '' : 'import base64\n'}import hmac


# The header of this data source looks like: ${header}
def is_genuine(headers, ${isBearer ? 'token: str' : 'username: str, password: str'}) -> bool:
    expected = ${expected}
    return hmac.compare_digest(headers.get("Authorization", "").encode(), expected.encode())
`;
}
