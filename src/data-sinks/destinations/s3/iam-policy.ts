import { arnPartition, domainOf } from './aws-regions.js';
import { folder } from './object-key.js';
import type { S3Config } from './s3-settings.js';

type Place = Pick<S3Config, 'bucket' | 'prefix' | 'region' | 'kmsKeyId'>;

/** STS takes no longer ones. */
export const MAX_SESSION_POLICY_CHARACTERS = 2_048;

/** All that a sink needs: to write below its prefix and nothing else. Encryption with a key of KMS's needs that too. */
export function smallestPolicy({ kmsKeyId, ...place }: Place): string {
  const statements = [
    { Effect: 'Allow', Action: 's3:PutObject', Resource: objectsOf(place) },
    ...(kmsKeyId?.startsWith('arn:')
      ? [{ Effect: 'Allow', Action: ['kms:GenerateDataKey', 'kms:Decrypt'], Resource: kmsKeyId }]
      : []),
  ];
  return JSON.stringify({ Version: '2012-10-17', Statement: statements }, null, 2);
}

/** What an attempt asks of a store: the last one where it compares an object that is there already. */
const OBJECT_ACTIONS = ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts', 's3:GetObject'];

/**
 * What a session of a role is cut to, beside what the role itself may: the requests that this code makes, below the prefix.
 * Finding an upload whose id nobody has heard needs the bucket's list of uploads; a bucket may encrypt with a key of KMS's
 * by itself, so that is allowed by way of S3 alone.
 * @param deletable the key of the object that may be deleted: the Test's own
 */
export function sessionPolicy({ kmsKeyId, ...place }: Place, deletable: string | null): string {
  const { bucket, region } = place;
  const s3 = `arn:${arnPartition(region)}:s3:::`;
  const through = { StringEquals: { 'kms:ViaService': `s3.${region}.${domainOf(region)}` } };
  const statements = [
    { Effect: 'Allow', Action: OBJECT_ACTIONS, Resource: objectsOf(place) },
    { Effect: 'Allow', Action: 's3:ListBucketMultipartUploads', Resource: `${s3}${bucket}` },
    {
      ...{ Effect: 'Allow', Action: ['kms:GenerateDataKey', 'kms:Decrypt'] },
      ...{ Resource: kmsKeyId?.startsWith('arn:') ? kmsKeyId : '*', Condition: through },
    },
    ...(deletable === null
      ? []
      : [{ Effect: 'Allow', Action: 's3:DeleteObject', Resource: `${s3}${bucket}/${literally(deletable)}` }]),
  ];
  return inAscii(JSON.stringify({ Version: '2012-10-17', Statement: statements }));
}

/** Whom a role has to trust, and with which external id: for the role's owner to copy. */
export function trustPolicyOf(principalArn: string, externalId: string): string {
  const statement = {
    Effect: 'Allow',
    Principal: { AWS: principalArn },
    Action: 'sts:AssumeRole',
    Condition: { StringEquals: { 'sts:ExternalId': externalId } },
  };
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] }, null, 2);
}

function objectsOf({ bucket, prefix, region }: Omit<Place, 'kmsKeyId'>): string {
  return `arn:${arnPartition(region)}:s3:::${bucket}/${prefix === '' ? '' : literally(folder(prefix))}*`;
}

/** In a policy `*` and `?` stand for others and `$` begins a variable; a prefix means them as they are. */
function literally(key: string): string {
  return key.replace(/[*?$]/g, (it) => `\${${it}}`);
}

/** STS takes no other characters in a parameter of this kind. */
function inAscii(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
