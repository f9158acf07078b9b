// Prints without loading anything, in the Node edition, where node:fs is free and console.log makes a stream.

import { writeSync } from 'node:fs';

/** Writes a line to stdout. */
export function print(line: string): void {
	writeSync(1, `${line}\n`);
}
