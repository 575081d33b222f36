import { newId } from '../ids.js';

export const TOTAL = 12_000;
export const MATCHED = 11_540;
const CHUNK = 500;

/** The rows of the demo's job as NDJSON, with the unmatched rows spread evenly. */
export async function* demoRows(onSent: (rows: number) => void): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < TOTAL; start += CHUNK) {
    const lines = Array.from({ length: CHUNK }, (_, i) => JSON.stringify(demoRow(start + i)));
    yield Buffer.from(`${lines.join('\n')}\n`);
    onSent(start + CHUNK);
  }
}

function demoRow(index: number): object {
  const unmatched = TOTAL - MATCHED;
  const matched = Math.floor(((index + 1) * unmatched) / TOTAL) === Math.floor((index * unmatched) / TOTAL);
  return {
    partnerRowId: newId('row'),
    referenceHotelId: matched ? newId('ref') : null,
    matchMethod: matched ? 'STANDARD' : null,
    matchConfidence: null,
  };
}
