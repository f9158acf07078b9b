// Writes the answer of a call to stdout.

import { SystemCallError } from './errno.ts';
import { writeNext } from './files.ts';
import { pause } from './pause.ts';

/** How long a reader that takes nothing is waited for, and how often it is tried: milliseconds. */
const PATIENCE = 10_000;
const RETRY = 5;

/** Writes the whole text, however little each write takes. Throws SystemCallError, `EPIPE` when nobody reads. */
export function writeStdout(text: string): void {
	const bytes = new TextEncoder().encode(text);
	const giveUp = performance.now() + PATIENCE;
	for (let written = 0; written < bytes.length;) {
		try {
			written += writeNext(1, bytes.subarray(written));
		} catch (error) {
			const isFull = error instanceof SystemCallError && error.code === 'EAGAIN';
			if (!isFull || performance.now() > giveUp) throw error;
			pause(RETRY);
		}
	}
}
