// The system calls that node:fs cannot make, in the Bun edition.

import { dlopen, read } from 'bun:ffi';

const { symbols } = dlopen('libc.so.6', {
	socket: { args: ['int', 'int', 'int'], returns: 'int' },
	setsockopt: { args: ['int', 'int', 'int', 'ptr', 'u32'], returns: 'int' },
	setns: { args: ['int', 'int'], returns: 'int' },
	flock: { args: ['int', 'int'], returns: 'int' },
	poll: { args: ['ptr', 'u64', 'int'], returns: 'int' },
	alarm: { args: ['u32'], returns: 'u32' },
	__errno_location: { args: [], returns: 'ptr' },
});

export const { socket, setsockopt, setns, flock, poll, alarm } = symbols;

/** The error number that the last failed call left, `include/uapi/asm-generic/errno-base.h`. */
export function errno(): number {
	return read.i32(symbols.__errno_location(), 0);
}
