// Writes the answer of a call to stdout.

import fs from 'node:fs';
import { CniError, CniErrorCode } from './errors.ts';
import { pause } from './pause.ts';

/** How long a reader that takes nothing is waited for, and how often it is tried: milliseconds. */
const PATIENCE = 10_000;
const RETRY = 5;

/** Writes the whole text, however little each write takes. Throws CniError 5. */
export function writeStdout(text: string): void {
	const bytes = Buffer.from(text);
	const giveUp = performance.now() + PATIENCE;
	for (let written = 0; written < bytes.length;) {
		try {
			written += fs.writeSync(1, bytes, written);
		} catch (error) {
			const isFull = error instanceof Error && 'code' in error && error.code === 'EAGAIN';
			if (!isFull || performance.now() > giveUp) {
				const why = error instanceof Error ? error.message : String(error);
				throw new CniError(CniErrorCode.ioFailure, `writing the answer to stdout: ${why}`, { cause: error });
			}
			pause(RETRY);
		}
	}
}
