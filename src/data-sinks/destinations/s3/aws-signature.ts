import { AwsV4Signer } from 'aws4fetch';
import type { AwsKeys } from '../../ports/aws-credentials.js';

interface Signed {
  readonly method: string;
  readonly url: string;
  readonly service: 's3' | 'sts';
  readonly region: string;
  readonly keys: AwsKeys;
  /** By the database's clock, in milliseconds since 1970. */
  readonly nowMs: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Where its hash is not among the headers. */
  readonly body?: string;
}

/** The headers of a request with those of its signature (AWS Signature Version 4). */
export async function signedHeaders({ keys, nowMs, ...request }: Signed): Promise<Record<string, string>> {
  const { accessKeyId, secretAccessKey, sessionToken } = keys;
  const signer = new AwsV4Signer({
    ...request,
    ...{ accessKeyId, secretAccessKey },
    ...(sessionToken && { sessionToken }),
    datetime: new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, ''),
  });
  return Object.fromEntries([...(await signer.sign()).headers]);
}
