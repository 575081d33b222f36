/** Secrets shorter than this show no character at all: four of few would tell too much. */
export const MIN_HINTED_SECRET_LENGTH = 16;

/** What may be shown of a secret: `****` and its last four characters, or null when it is too short for that. */
export function secretHint(secret: string): string | null {
  return secret.length >= MIN_HINTED_SECRET_LENGTH ? `****${secret.slice(-4)}` : null;
}

/**
 * A receiver's answer as text that every store and every page can hold: bytes that are not UTF-8 and NUL (which
 * PostgreSQL's `text` refuses) become U+FFFD.
 */
export function printableExcerpt(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: false }).decode(bytes).replaceAll('\u0000', '\uFFFD');
}

/** Shorter ones would be found in ordinary words. */
const MIN_MASKED_LENGTH = 4;

/**
 * What a receiver said, without the credential that it was sent: one that echoes its requests would put it into our
 * records, and show it to everybody who may read them.
 * @param authorization the request's header; undefined when it had none
 */
export function withoutCredential(text: string, authorization: string | undefined): string {
  if (authorization === undefined) return text;
  const forms = credentialsOf(authorization).flatMap((credential) => {
    const inJson = JSON.stringify(credential).slice(1, -1);
    return [credential, inJson, inJson.replaceAll('/', '\\/'), encodeURIComponent(credential)];
  });
  // The longest first, so that no rest of it is left behind.
  const masked = forms.filter(({ length }) => length >= MIN_MASKED_LENGTH).sort((a, b) => b.length - a.length);
  return masked.reduce((rest, form) => rest.replaceAll(form, '****'), text);
}

function credentialsOf(authorization: string): string[] {
  const [, scheme, value = ''] = /^(\S+) (.*)$/s.exec(authorization) ?? [];
  if (scheme !== 'Basic') return [value];
  const pair = Buffer.from(value, 'base64').toString('utf8');
  return [value, pair, pair.slice(pair.indexOf(':') + 1)];
}
