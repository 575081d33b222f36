import { describe, expect, it } from '@jest/globals';
import { grouped, Terminal } from '../../../../src/reference-host/demo/terminal.js';

describe('the demo’s printing', () => {
  it('updates a line in place on a terminal', () => {
    const { terminal, printed } = record(true, () => 0);
    terminal.update('3 s');
    terminal.update('2 s');
    terminal.result('over');
    expect(printed()).toBe('\r\u001B[2K    3 s\r\u001B[2K    2 s\r\u001B[2K    over\n');
  });

  it('prints one line per second elsewhere', () => {
    let now = 0;
    const { terminal, printed } = record(false, () => now);
    for (; now <= 2_000; now += 100) terminal.update(`at ${now}`);
    expect(printed()).toBe('    at 0\n    at 1000\n    at 2000\n');
  });

  it('numbers the steps and aligns the table', () => {
    const { terminal, printed } = record(false, () => 0);
    terminal.begin('Create');
    terminal.table(['attempt', 'status'], [['1', 'HTTP_5XX']]);
    expect(printed()).toBe(' 1  Create\n\n    attempt  status\n    -------  --------\n    1        HTTP_5XX\n');
  });

  it('groups thousands', () => {
    expect(grouped(1_784_600)).toBe('1,784,600');
  });
});

function record(isTTY: boolean, now: () => number): { terminal: Terminal; printed: () => string } {
  let text = '';
  const write = (part: string | Uint8Array): boolean => {
    text += String(part);
    return true;
  };
  return { terminal: new Terminal({ isTTY, write } as NodeJS.WriteStream, now), printed: () => text };
}
