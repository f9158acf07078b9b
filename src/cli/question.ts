// Asks whoever sits at the terminal.

import { readSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';

/** Asks a question that is answered by y or n, n being the default. Undefined when there is nobody to ask. */
export function confirm(question: string): boolean | undefined {
	if (!isatty(0)) return undefined;
	writeSync(2, `${question} [y/N] `);
	const answer = Buffer.alloc(80);
	const length = readSync(0, answer);
	return /^y(?:es)?$/i.test(answer.toString('utf8', 0, length).trim());
}
