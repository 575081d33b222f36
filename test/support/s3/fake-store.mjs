// @ts-check
import { createServer } from 'node:http';

/**
 * A store of objects that misbehaves, in a process of its own. It checks no signature. `POST /_be` sets how:
 * @typedef {object} Behaviour
 * @property {boolean} [ignoresConditions] overwrites whatever `If-None-Match` says
 * @property {boolean} [dropsFirstAnswers] does what the first request of each kind for a key asks, and closes without an answer
 * @property {boolean} [refusesOptionalHeaders] as R2 and B2 do: checksums and trailers of newer SDKs are a 501
 * @property {boolean} [deniesReading] HEAD and GET are a 403, as for keys that may only write
 * @property {{ status: number, body: string, headers?: Record<string, string> } | null} [answers] this, whatever is asked
 */
const objects = new Map();
const uploads = new Map();
/** @type {{ method: string, url: string, status: number | null, headers: Record<string, unknown> }[]} */
let log = [];
/** @type {Behaviour} */
let be = {};
let dropped = new Set();
let ids = 0;

/** @param {string} code */
const error = (code) => `<?xml version="1.0"?><Error><Code>${code}</Code><Message>as told</Message></Error>`;

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const { method = '', url = '' } = request;
  if (url === '/_be') {
    be = JSON.parse(body.toString());
    objects.clear();
    uploads.clear();
    log = [];
    dropped = new Set();
    response.end('{}');
    return;
  }
  if (url === '/_state') {
    const stored = [...objects].map(([key, { bytes, versions }]) => ({
      key,
      base64: bytes.toString('base64'),
      versions,
    }));
    response.end(JSON.stringify({ log, objects: stored, uploads: [...uploads.keys()] }));
    return;
  }
  const { status, headers = {}, text = '' } = serve(method, new URL(url, 'http://store'), request.headers, body);
  const kind = `${method} ${url.replace(/uploadId=[^&]+/, '')}`;
  const drops = be.dropsFirstAnswers === true && method !== 'HEAD' && !dropped.has(kind);
  dropped.add(kind);
  log.push({ method, url, status: drops ? null : status, headers: request.headers });
  if (drops) {
    request.socket.destroy();
    return;
  }
  response.writeHead(status, { 'content-length': Buffer.byteLength(text), ...headers });
  response.end(method === 'HEAD' ? undefined : text);
});

/**
 * @param {string} method
 * @param {URL} url
 * @param {import('node:http').IncomingHttpHeaders} headers
 * @param {Buffer} body
 * @returns {{ status: number, headers?: Record<string, string | number>, text?: string }}
 */
function serve(method, { pathname, searchParams }, headers, body) {
  if (be.answers) return { status: be.answers.status, headers: be.answers.headers ?? {}, text: be.answers.body };
  const optional = Object.keys(headers).some((name) => /^x-amz-(checksum|sdk|trailer)|^content-md5$/.test(name));
  if (
    be.refusesOptionalHeaders &&
    (optional || headers['transfer-encoding'] || /aws-chunked/.test(String(headers['content-encoding'])))
  ) {
    return { status: 501, text: error('NotImplemented') };
  }
  const key = decodeURIComponent(pathname);
  const uploadId = searchParams.get('uploadId');
  const refused = headers['if-none-match'] === '*' && !be.ignoresConditions && objects.has(key);
  /** @type {(bytes: Buffer, meta: unknown) => void} */
  const store = (bytes, meta) => {
    objects.set(key, { bytes, meta, versions: (objects.get(key)?.versions ?? 0) + 1 });
  };
  if (method === 'POST' && searchParams.has('uploads')) {
    const id = `upload-${++ids}`;
    uploads.set(id, { parts: [], meta: headers['x-amz-meta-sha256'] });
    return {
      status: 200,
      text: `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
    };
  }
  if (uploadId !== null) {
    const upload = uploads.get(uploadId);
    if (!upload) return { status: 404, text: error('NoSuchUpload') };
    if (method === 'PUT') {
      upload.parts[Number(searchParams.get('partNumber')) - 1] = body;
      return { status: 200, headers: { etag: '"part"' } };
    }
    if (method === 'DELETE') return (uploads.delete(uploadId), { status: 204 });
    if (method === 'GET')
      return be.deniesReading
        ? { status: 403, text: error('AccessDenied') }
        : { status: 200, text: '<ListPartsResult/>' };
    if (refused) return { status: 412, text: error('PreconditionFailed') };
    store(Buffer.concat(upload.parts), upload.meta);
    uploads.delete(uploadId);
    return {
      status: 200,
      text: '<CompleteMultipartUploadResult><ETag>&quot;whole-2&quot;</ETag></CompleteMultipartUploadResult>',
    };
  }
  if (method === 'PUT') {
    if (refused) return { status: 412, text: error('PreconditionFailed') };
    store(body, headers['x-amz-meta-sha256']);
    return { status: 200, headers: { etag: '"etag"' } };
  }
  if (method === 'DELETE') return { status: 403, text: error('AccessDenied') };
  if (be.deniesReading) return { status: 403, text: error('AccessDenied') };
  const found = objects.get(key);
  if (!found) return { status: 404, text: error('NoSuchKey') };
  return {
    status: 200,
    headers: { 'content-length': found.bytes.length, 'x-amz-meta-sha256': String(found.meta), etag: '"etag"' },
  };
}

server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
process.on('disconnect', () => process.exit(0));
