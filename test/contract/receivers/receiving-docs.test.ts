import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { PayloadErrorCode } from '../../../src/receiver/index.js';
import { PUSH_VERIFICATION_ERRORS } from '../../../src/receiver/index.js';

const DOCS = new URL('../../../docs/', import.meta.url);
const page = readFileSync(new URL('receiving.md', DOCS), 'utf8');

const PAYLOAD_CODES: Record<PayloadErrorCode, true> = {
  payload_malformed: true,
  payload_unread: true,
  payload_truncated: true,
  payload_incomplete: true,
  row_invalid: true,
  value_too_large: true,
  payload_too_large: true,
};

describe('docs/receiving.md', () => {
  it('lists every error of the kit with the answer that it gives', () => {
    const listed = [...page.matchAll(/^\| `(\w+)` \| (\d{3}) \|/gm)].map(([, code, status]) => [code, Number(status)]);
    const known = Object.entries(PUSH_VERIFICATION_ERRORS).map(([code, { statusCode }]) => [code, statusCode]);
    expect(listed).toEqual(known);
  });

  it('lists every error of the reader', () => {
    const section = page.slice(page.indexOf('`PayloadError`'));
    const listed = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code);
    expect(listed).toEqual(Object.keys(PAYLOAD_CODES));
  });

  it('links to files that exist', () => {
    const links = [...page.matchAll(/\]\((?!https?:|#)([^)]+)\)/g)].map(([, link]) => link ?? '');
    expect(links.filter((link) => !existsSync(new URL(link, DOCS)))).toEqual([]);
    expect(links.length).toBeGreaterThan(6);
  });
});
