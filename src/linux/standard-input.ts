// Reads stdin, whatever it is: a file (Mesos), a pipe (libcni) or a terminal.

import { SystemCallError } from './errno.ts';
import { readNext } from './files.ts';
import { awaitReadable } from './readable.ts';

/** include/uapi/asm-generic/errno.h */
const ETIMEDOUT = 110;

/**
 * Fills a buffer with what comes next, and returns the number of bytes; 0 is the end. Throws SystemCallError, `ETIMEDOUT`
 * when nothing comes until `deadline` (ms of performance.now()), `EBADF` without a stdin.
 */
export function readStdin(buffer: Uint8Array, deadline: number): number {
	if (!awaitReadable(0, deadline)) throw new SystemCallError('waiting for its end', ETIMEDOUT);
	return readNext(0, buffer);
}
