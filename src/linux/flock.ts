// Locks that the kernel takes back when their holder dies, however it dies.

import { errno, flock } from '#libc';
import { SystemCallError } from './errno.ts';
import { waitUntil } from './pause.ts';

// include/uapi/asm-generic/fcntl.h
const LOCK_EX = 2;
const LOCK_NB = 4;

// include/uapi/asm-generic/errno-base.h
const EINTR = 4;
const EWOULDBLOCK = 11;

/**
 * Takes the exclusive lock of an open file, flock(2), until the descriptor is closed or the process ends; to another
 * descriptor of the same file in this process it is a stranger's. Waits for its holder until `deadline` (ms of
 * performance.now()), not at all when that is over. Returns whether the lock was had. Throws SystemCallError.
 */
export function lock(descriptor: number, deadline: number): boolean {
	return waitUntil(deadline, () => {
		if (flock(descriptor, LOCK_EX | LOCK_NB) === 0) return true;
		const error = errno();
		if (error !== EWOULDBLOCK && error !== EINTR) throw new SystemCallError('locking a file', error);
		return false;
	});
}
