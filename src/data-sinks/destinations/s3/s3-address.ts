import { domainOf } from './aws-regions.js';

/** Which bucket. */
interface Place {
  /** Of a store that is not AWS; null for AWS. */
  readonly endpointUrl: string | null;
  readonly region: string;
  readonly bucket: string;
}

/**
 * Where a bucket is: virtual-host style at AWS; path style at a given endpoint, and where the bucket's name has a dot, which
 * no wildcard certificate covers. Without a slash at its end.
 */
export function addressOf({ endpointUrl, region, bucket }: Place): string {
  if (endpointUrl !== null) return `${endpointUrl}/${bucket}`;
  const host = `s3.${region}.${domainOf(region)}`;
  return bucket.includes('.') ? `https://${host}/${bucket}` : `https://${bucket}.${host}`;
}

/** Of one object. */
export function objectUrl(place: Place, key: string): string {
  return `${addressOf(place)}/${key.split('/').map(encoded).join('/')}`;
}

/** As a signature wants it (RFC 3986): every byte that is not unreserved. */
export function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`);
}
