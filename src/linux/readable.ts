// Waits until a descriptor has something to read, poll(2).

import { errno, poll } from '#libc';
import { SystemCallError } from './errno.ts';

/** include/uapi/asm-generic/poll.h */
const POLLIN = 1;

/** include/uapi/asm-generic/errno-base.h */
const EINTR = 4;

/**
 * Waits until there is something to read, or the end of it; past `deadline` (ms of performance.now()) it only looks.
 * Returns whether there is. Throws SystemCallError.
 */
export function awaitReadable(descriptor: number, deadline: number): boolean {
	// struct pollfd { int fd; short events; short revents; }
	const waiting = new Uint8Array(8);
	waiting.set([descriptor & 0xff, (descriptor >> 8) & 0xff, (descriptor >> 16) & 0xff, descriptor >> 24, POLLIN]);
	for (;;) {
		const ready = poll(waiting, 1n, Math.max(0, Math.ceil(deadline - performance.now())));
		if (ready !== -1) return ready > 0;
		const error = errno();
		if (error !== EINTR) throw new SystemCallError(`waiting for descriptor ${descriptor}`, error);
	}
}
