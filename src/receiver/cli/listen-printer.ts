import type { ListenOptions } from './listen-options.js';
import type { ListenRecord } from './listen-record.js';

/** Prints each received request in a few lines, for people. */
export function printedRecord(record: ListenRecord): string {
  const { facts } = record;
  const lines = [
    `${record.receivedAt.slice(11, 19)}  ${record.method} ${record.path}  ${record.deliveryId ?? 'no delivery id'}${record.attempt === null ? '' : `, attempt ${record.attempt}`}${record.test ? ', TEST' : ''}${record.repeated ? ', REPEATED' : ''}`,
    `  proof     ${printedProof(record)}`,
  ];
  for (const { check, code, detail } of record.problems) lines.push(`            ${check}: ${code}. ${detail}`);
  lines.push(`  body      ${printedSize(record.bytes)}${printedContent(record)}, sha256 ${record.sha256}`);
  if (record.contentDigestValid === false) lines.push('            Content-Digest does not agree');
  if (facts !== null) {
    const { total, matched, unmatched } = facts.stats;
    lines.push(
      `  job       ${facts.jobId}, agent ${facts.agentId}, completed ${facts.completedAt}`,
      `  rows      ${record.rows ?? 0} (stats: ${total} total, ${matched} matched, ${unmatched} unmatched)`,
    );
    if (record.firstRow !== null) lines.push(`  first     ${JSON.stringify(record.firstRow)}`);
  } else if (record.payloadError !== null) {
    lines.push(`  payload   cannot be read: ${record.payloadError}`);
  }
  lines.push(`  answered  ${record.status ?? 'nothing: the sender was gone'}, after ${record.durationMs} ms`);
  return `${lines.map(visible).join('\n')}\n`;
}

export function printedWelcome(port: number, { host, secrets, authorization, statuses }: ListenOptions): string {
  const checks = [
    ...(secrets.length > 0 ? [`signatures with ${secrets.length} secret${secrets.length > 1 ? 's' : ''}`] : []),
    ...(authorization === null ? [] : ['bearer' in authorization ? 'a bearer token' : 'a user and password']),
  ];
  return [
    `Listening on http://${host.includes(':') ? `[${host}]` : host}:${port}/`,
    checks.length > 0 ? `Checking ${checks.join(' and ')}.` : 'Checking nothing: give --secret, --bearer or --basic.',
    `Answering ${statuses.join(', then ')}${statuses.length > 1 ? ' from then on' : ''}. Stop with Ctrl-C.`,
    '',
    '',
  ].join('\n');
}

function printedProof({ signatureValid, problems }: ListenRecord): string {
  if (signatureValid === null) return 'not checked';
  return signatureValid ? 'valid' : `NOT VALID (${problems.length} of the checks failed)`;
}

function printedContent({ format, gzip, part }: ListenRecord): string {
  const said = [format, gzip ? 'gzip' : null, part && `part ${part.number} of ${part.of}`];
  return said.map((text) => (text === null ? '' : `, ${text}`)).join('');
}

function printedSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** Escapes control characters, so that received text cannot control the terminal. */
function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, '\u{fffd}');
}
