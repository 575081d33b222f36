import { describe, expect, it } from '@jest/globals';
import type { MappingResultRow } from '../../../../../src/data-sinks/domain/job-completed.js';
import { bodyOf, FACTS, layoutOf, ROWS } from './rows.js';

const HEAD =
  '{"jobId":"job_01J5Z0000000000000000000AB","agentId":"agt_01J5Z0000000000000000000AB",' +
  '"workspaceId":"ws_01J5Z0000000000000000000AB","completedAt":"2026-05-25T12:34:56Z",' +
  '"stats":{"total":3,"matched":2,"unmatched":1},"results":[';

const OF_JOB = '"jobId":"job_01J5Z0000000000000000000AB","completedAt":"2026-05-25T12:34:56Z","run":1';

/** Each body to the byte: what is stored, signed and sent again must never come out otherwise. */
const GOLDEN: readonly [recipe: string, body: string][] = [
  [
    'JSON',
    `${HEAD}{"partnerRowId":"row_1","referenceHotelId":"ref_1","matchMethod":"STANDARD","matchConfidence":0.875},` +
      '{"partnerRowId":"Hôtel \\"Süd\\", 東京\\n🏨","referenceHotelId":"ref,2","matchMethod":"","matchConfidence":1e-7},' +
      '{"partnerRowId":"row_3","referenceHotelId":null,"matchMethod":null,"matchConfidence":null}]}',
  ],
  [
    'JSON;fields=partnerRowId,matchConfidence',
    `${HEAD}{"partnerRowId":"row_1","matchConfidence":0.875},` +
      '{"partnerRowId":"Hôtel \\"Süd\\", 東京\\n🏨","matchConfidence":1e-7},' +
      '{"partnerRowId":"row_3","matchConfidence":null}]}',
  ],
  [
    'JSONL',
    '{"partnerRowId":"row_1","referenceHotelId":"ref_1","matchMethod":"STANDARD","matchConfidence":0.875}\n' +
      '{"partnerRowId":"Hôtel \\"Süd\\", 東京\\n🏨","referenceHotelId":"ref,2","matchMethod":"","matchConfidence":1e-7}\n' +
      '{"partnerRowId":"row_3","referenceHotelId":null,"matchMethod":null,"matchConfidence":null}\n',
  ],
  [
    'JSONL;fields=partnerRowId',
    '{"partnerRowId":"row_1"}\n{"partnerRowId":"Hôtel \\"Süd\\", 東京\\n🏨"}\n{"partnerRowId":"row_3"}\n',
  ],
  [
    'CSV',
    'partnerRowId,referenceHotelId,matchMethod,matchConfidence\r\n' +
      'row_1,ref_1,STANDARD,0.875\r\n' +
      '"Hôtel ""Süd"", 東京\n🏨","ref,2","",1e-7\r\n' +
      'row_3,,,\r\n',
  ],
  [
    'CSV;fields=partnerRowId,referenceHotelId',
    'partnerRowId,referenceHotelId\r\nrow_1,ref_1\r\n"Hôtel ""Süd"", 東京\n🏨","ref,2"\r\nrow_3,\r\n',
  ],
  [
    'JSON;fields=partnerRowId,jobId,completedAt,run',
    HEAD +
      ['row_1', 'Hôtel \\"Süd\\", 東京\\n🏨', 'row_3'].map((id) => `{"partnerRowId":"${id}",${OF_JOB}}`).join(',') +
      ']}',
  ],
  [
    'JSONL;fields=partnerRowId,jobId,completedAt,run',
    ['row_1', 'Hôtel \\"Süd\\", 東京\\n🏨', 'row_3'].map((id) => `{"partnerRowId":"${id}",${OF_JOB}}\n`).join(''),
  ],
  [
    'CSV;formulas=raw;fields=partnerRowId,jobId,completedAt',
    'partnerRowId,jobId,completedAt\r\n' +
      'row_1,job_01J5Z0000000000000000000AB,2026-05-25T12:34:56Z\r\n' +
      '"Hôtel ""Süd"", 東京\n🏨",job_01J5Z0000000000000000000AB,2026-05-25T12:34:56Z\r\n' +
      'row_3,job_01J5Z0000000000000000000AB,2026-05-25T12:34:56Z\r\n',
  ],
];

describe.each(GOLDEN)('a body in %s', (recipe, body) => {
  it('has exactly the recorded bytes', () => {
    expect(bodyOf(recipe, ROWS)).toBe(body);
  });

  it('is the same for any batch size', () => {
    const layout = layoutOf(recipe);
    const oneByOne = ROWS.map((row) => layout.rows([row], FACTS)).join(layout.separator);
    expect(oneByOne).toBe(layout.rows(ROWS, FACTS));
  });

  it('has the same fields in the same order, whatever the order in the host’s objects', () => {
    const shuffled = ROWS.map((row) => ({ extra: 1, ...Object.fromEntries(Object.entries(row).reverse()) }));
    expect(bodyOf(recipe, shuffled as unknown as MappingResultRow[])).toBe(body);
  });

  it('refuses an invalid row', () => {
    const bad = { partnerRowId: 'row_4', matchConfidence: '0.5' } as unknown as MappingResultRow;
    expect(() => bodyOf(recipe, [bad])).toThrow('row row_4 whose matchConfidence is a string');
  });
});

describe('a job without rows', () => {
  it.each([
    ['JSON', `${HEAD}]}`],
    ['JSONL', ''],
    ['CSV', 'partnerRowId,referenceHotelId,matchMethod,matchConfidence\r\n'],
  ])('is in %s %j', (recipe, body) => {
    expect(bodyOf(recipe, [])).toBe(body);
  });
});

describe('a test', () => {
  it('is marked in the body where the format allows it, and changes no other body', () => {
    expect(bodyOf('JSON', ROWS, true)).toBe(`${bodyOf('JSON', ROWS).slice(0, -1)},"test":true}`);
    for (const recipe of ['JSONL', 'CSV']) expect(bodyOf(recipe, ROWS, true)).toBe(bodyOf(recipe, ROWS));
  });
});
