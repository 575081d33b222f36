const SECOND = 1_000;

/** Prints the demo: one line per step, and progress in place on a terminal or as one line per second elsewhere. */
export class Terminal {
  private step = 0;
  private inPlace = false;
  private lastUpdateMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly output: Pick<NodeJS.WriteStream, 'write' | 'isTTY'>,
    private readonly now: () => number,
  ) {}

  title(text: string): void {
    this.line(`\n${text}\n`);
  }

  /** Prints what is about to happen. */
  begin(text: string): void {
    this.step++;
    this.line(`${String(this.step).padStart(2)}  ${text}`);
    this.lastUpdateMs = Number.NEGATIVE_INFINITY;
  }

  /** Prints the result. */
  result(text: string): void {
    this.line(`    ${text}`);
  }

  /** Prints progress; the next line overwrites it. */
  update(text: string): void {
    if (this.output.isTTY) {
      this.output.write(`\r\u001B[2K    ${text}`);
      this.inPlace = true;
    } else if (this.now() - this.lastUpdateMs >= SECOND) {
      this.lastUpdateMs = this.now();
      this.output.write(`    ${text}\n`);
    }
  }

  table(header: readonly string[], body: readonly (readonly string[])[]): void {
    const widths = header.map((name, i) => Math.max(name.length, ...body.map((cells) => (cells[i] ?? '').length)));
    const format = (cells: readonly string[]): string => cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ');
    this.line('');
    for (const cells of [header, widths.map((width) => '-'.repeat(width)), ...body]) {
      this.line(`    ${format(cells).trimEnd()}`);
    }
  }

  line(text: string): void {
    this.output.write(`${this.inPlace ? '\r\u001B[2K' : ''}${text}\n`);
    this.inPlace = false;
  }
}

/** `12000` as `12,000`. */
export function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
