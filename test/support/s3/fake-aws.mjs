// @ts-check
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { signerOf } from './signature-v4.mjs';

/**
 * AWS's services for sessions of roles and for objects, in a process of its own: signatures are checked, sessions end, and a
 * session may do what its policy says. `POST /_be` sets how it is, and forgets all that was:
 * @typedef {object} Aws
 * @property {{ accessKeyId: string, secretAccessKey: string, sessionToken?: string | null }} platform who may assume roles
 * @property {Readonly<Record<string, string | null>>} roles the external id that each demands, by ARN; null: none
 * @property {number} [sessionSeconds] how long sessions last
 * @property {{ status: number, body: string, headers?: Record<string, string> } | null} [stsAnswers] this, whatever is asked
 *
 * `POST /_end` ends all sessions before their time. `GET /_state` tells what was asked and made.
 * @typedef {{ accessKeyId: string, secretAccessKey: string, sessionToken: string, endsAt: number, policy: any, role: string }} Session
 */
/** @type {Aws} */
let be = { platform: { accessKeyId: '', secretAccessKey: '' }, roles: {} };
/** @type {Map<string, Session>} */
let sessions = new Map();
/** @type {Map<string, { bytes: Buffer, sha256: string, role: string }>} */
let objects = new Map();
let uploads = new Map();
/** @type {Record<string, unknown>[]} */
let asked = [];
/** @type {{ method: string, url: string, status: number, accessKeyId: string }[]} */
let stored = [];

/** @param {string} code */
const error = (code) => `<?xml version="1.0"?><Error><Code>${code}</Code><Message>as told</Message></Error>`;
/** @param {string} code @returns {{ status: number, text: string }} */
const refused = (code) => ({ status: code === 'ExpiredToken' ? 400 : 403, text: error(code) });

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const asks = {
    method: request.method ?? '',
    url: request.url ?? '',
    headers: request.headers,
    body: Buffer.concat(chunks),
  };
  const { status, text = '', headers = {} } = control(asks) ?? (asks.url === '/' ? sts(asks) : s3(asks));
  response.writeHead(status, { 'content-length': Buffer.byteLength(text), ...headers });
  response.end(asks.method === 'HEAD' ? undefined : text);
});

/**
 * @typedef {{ method: string, url: string, headers: import('node:http').IncomingHttpHeaders, body: Buffer }} Asks
 * @typedef {{ status: number, text?: string, headers?: Record<string, string | number> }} Says
 */

/** @param {Asks} asks @returns {Says | null} */
function control({ url, body }) {
  if (url === '/_be') {
    be = JSON.parse(body.toString());
    [sessions, objects, uploads] = [new Map(), new Map(), new Map()];
    [asked, stored] = [[], []];
    return { status: 200 };
  }
  if (url === '/_trust') {
    be = { ...be, ...JSON.parse(body.toString()) };
    return { status: 200 };
  }
  if (url === '/_end') {
    for (const session of sessions.values()) session.endsAt = 0;
    return { status: 200 };
  }
  if (url !== '/_state') return null;
  const kept = [...objects].map(([key, { bytes, role }]) => ({ key, text: bytes.toString(), role }));
  const made = [...sessions.values()].map(({ policy: _policy, ...session }) => session);
  return {
    status: 200,
    text: JSON.stringify({ asked, stored, objects: kept, sessions: made, uploads: [...uploads.keys()] }),
  };
}

/** @param {Asks} asks @returns {Says} */
function sts(asks) {
  const form = Object.fromEntries(new URLSearchParams(asks.body.toString()));
  const { RoleArn: role = '', ExternalId: externalId = null, RoleSessionName: name = '', Policy: policy = '{}' } = form;
  /** @param {Says} says @param {string} result @returns {Says} */
  const end = (says, result) => {
    asked.push({ role, externalId, name, policy, seconds: Number(form['DurationSeconds']), result });
    return says;
  };
  if (be.stsAnswers) return end({ ...be.stsAnswers, text: be.stsAnswers.body }, 'as told');
  /** @param {string} code @param {number} [status] */
  const no = (code, status = 403) =>
    end(
      {
        status,
        text: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>by ${be.platform.accessKeyId}</Message></Error></ErrorResponse>`,
      },
      code,
    );
  const signer = signerOf(asks, 'sts', (id) => (id === be.platform.accessKeyId ? be.platform : undefined));
  if ('error' in signer) return no(signer.error);
  if (policy.length > 2_048 || !/^[\w+=,.@-]{2,64}$/.test(name)) return no('ValidationError', 400);
  const demanded = be.roles[role];
  if (demanded === undefined || (demanded !== null && demanded !== externalId)) return no('AccessDenied');
  const accessKeyId = `ASIA${randomBytes(8).toString('hex').toUpperCase()}`;
  const endsAt = Date.now() + (be.sessionSeconds ?? Number(form['DurationSeconds'])) * 1_000;
  const session = {
    ...{ accessKeyId, endsAt, policy: JSON.parse(policy), role },
    secretAccessKey: randomBytes(30).toString('base64'),
    // As long as real ones.
    sessionToken: randomBytes(900).toString('base64'),
  };
  sessions.set(accessKeyId, session);
  const text = `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${session.secretAccessKey}</SecretAccessKey><SessionToken>${session.sessionToken}</SessionToken><Expiration>${new Date(endsAt).toISOString()}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
  return end({ status: 200, text }, 'session');
}

/** @param {Asks} asks @returns {Says} */
function s3(asks) {
  const signer = signerOf(asks, 's3', (id) => sessions.get(id));
  const accessKeyId = 'error' in signer ? '' : signer.accessKeyId;
  const says =
    'error' in signer ? refused(signer.error) : served(asks, /** @type {Session} */ (sessions.get(accessKeyId)));
  stored.push({ method: asks.method, url: asks.url, status: says.status, accessKeyId });
  return says;
}

/** @param {Asks} asks @param {Session} session @returns {Says} */
function served({ method, url, headers, body }, session) {
  if (session.endsAt <= Date.now()) return refused('ExpiredToken');
  const { pathname, searchParams } = new URL(url, 'http://store');
  const resource = decodeURIComponent(pathname.slice(1)).replace(/\/$/, '');
  const key = resource.slice(resource.indexOf('/') + 1);
  const uploadId = searchParams.get('uploadId');
  const action = actionOf(method, searchParams, resource.includes('/'));
  if (!allows(session.policy, `s3:${action}`, `arn:aws:s3:::${resource}`)) return refused('AccessDenied');
  if (action === 'ListBucketMultipartUploads') return { status: 200, text: '<ListMultipartUploadsResult/>' };
  if (method === 'POST' && searchParams.has('uploads')) {
    const id = `upload-${randomBytes(4).toString('hex')}`;
    uploads.set(id, []);
    return { status: 200, text: `<R><UploadId>${id}</UploadId></R>` };
  }
  const parts = uploadId === null ? null : uploads.get(uploadId);
  if (parts === undefined) return { status: 404, text: error('NoSuchUpload') };
  if (parts && method === 'PUT') {
    parts[Number(searchParams.get('partNumber')) - 1] = body;
    return { status: 200, headers: { etag: '"part"' } };
  }
  if (parts && method === 'DELETE') return (uploads.delete(uploadId), { status: 204 });
  if (method === 'DELETE') return (objects.delete(key), { status: 204 });
  if (method === 'PUT' || parts) {
    if (headers['if-none-match'] === '*' && objects.has(key)) return { status: 412, text: error('PreconditionFailed') };
    objects.set(key, {
      bytes: parts ? Buffer.concat(parts) : body,
      sha256: String(headers['x-amz-meta-sha256']),
      role: session.role,
    });
    uploads.delete(uploadId);
    return { status: 200, headers: { etag: '"etag"' } };
  }
  const found = objects.get(key);
  if (!found) return { status: 404, text: error('NoSuchKey') };
  return {
    status: 200,
    headers: { 'content-length': found.bytes.length, 'x-amz-meta-sha256': found.sha256, etag: '"etag"' },
  };
}

/** @param {string} method @param {URLSearchParams} query @param {boolean} isObject */
function actionOf(method, query, isObject) {
  if (!isObject) return query.has('uploads') ? 'ListBucketMultipartUploads' : 'ListBucket';
  if (query.has('uploadId') && method === 'DELETE') return 'AbortMultipartUpload';
  if (query.has('uploadId') && method === 'GET') return 'ListMultipartUploadParts';
  return { PUT: 'PutObject', POST: 'PutObject', DELETE: 'DeleteObject' }[method] ?? 'GetObject';
}

/** @param {any} policy @param {string} action @param {string} resource */
function allows(policy, action, resource) {
  return policy.Statement.some(
    (/** @type {any} */ { Action, Resource }) =>
      [Action].flat().includes(action) && matches(Resource, resource) && Resource !== '*',
  );
}

/** As IAM does: `*` and `?` stand for others, unless they are a variable's value. @param {string} pattern @param {string} text */
function matches(pattern, text) {
  const parts = pattern.split(/(\$\{[*?$]\}|\*|\?)/).map((part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    return (/^\$\{.\}$/.test(part) ? (part[2] ?? '') : part).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`, 's').test(text);
}

server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
process.on('disconnect', () => process.exit(0));
