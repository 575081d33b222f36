// @ts-check
import { createHash, createHmac } from 'node:crypto';

const ALLOWED_SKEW_MS = 15 * 60_000;

/** @param {string | Buffer} text */
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
/** @param {string | Buffer} key @param {string} text */
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

/**
 * Who signed a request, by AWS's Signature Version 4, written from its description and sharing no code with the signer.
 * @param {{ method: string, url: string, headers: import('node:http').IncomingHttpHeaders, body: Buffer }} request
 * @param {string} service
 * @param {(accessKeyId: string) => { secretAccessKey: string, sessionToken?: string | null } | undefined} keysOf
 * @returns {{ accessKeyId: string } | { error: string }}
 */
export function signerOf({ method, url, headers, body }, service, keysOf) {
  const [, accessKeyId = '', date = '', region = '', of = '', names = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  if (of !== service) return { error: 'MissingAuthenticationToken' };
  const keys = keysOf(accessKeyId);
  if (!keys) return { error: service === 'sts' ? 'InvalidClientTokenId' : 'InvalidAccessKeyId' };
  if ((headers['x-amz-security-token'] ?? null) !== (keys.sessionToken ?? null)) return { error: 'InvalidToken' };
  const at = String(headers['x-amz-date']);
  const time = Date.parse(at.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(time - Date.now()) < ALLOWED_SKEW_MS)) {
    return { error: service === 'sts' ? 'RequestExpired' : 'RequestTimeTooSkewed' };
  }
  const signed = names.split(';');
  const must = ['host', 'x-amz-date', ...(keys.sessionToken ? ['x-amz-security-token'] : [])];
  if (must.some((name) => !signed.includes(name))) return { error: 'SignatureDoesNotMatch' };
  const hash = service === 's3' ? String(headers['x-amz-content-sha256']) : sha256(body);
  if (service === 's3' && hash !== sha256(body)) return { error: 'XAmzContentSHA256Mismatch' };
  const [path = '', query = ''] = url.split('?');
  const canonical = [
    method,
    path,
    query
      .split('&')
      .filter((it) => it !== '')
      .map((it) => (it.includes('=') ? it : `${it}=`))
      .sort()
      .join('&'),
    ...signed.map((name) => `${name}:${String(headers[name]).trim().replace(/ +/g, ' ')}`),
    '',
    names,
    hash,
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', at, `${date}/${region}/${service}/aws4_request`, sha256(canonical)].join('\n');
  const key = hmac(hmac(hmac(hmac(`AWS4${keys.secretAccessKey}`, date), region), service), 'aws4_request');
  return hmac(key, text).toString('hex') === signature ? { accessKeyId } : { error: 'SignatureDoesNotMatch' };
}
