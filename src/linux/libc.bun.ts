// The system calls of an ADD, in the Bun edition.

import { dlopen, read as peek } from 'bun:ffi';

const { symbols } = dlopen('libc.so.6', {
	open: { args: ['ptr', 'int', 'u32'], returns: 'int' },
	close: { args: ['int'], returns: 'int' },
	read: { args: ['int', 'ptr', 'u64'], returns: 'int' },
	write: { args: ['int', 'ptr', 'u64'], returns: 'int' },
	pread: { args: ['int', 'ptr', 'u64', 'i64'], returns: 'int' },
	pwrite: { args: ['int', 'ptr', 'u64', 'i64'], returns: 'int' },
	link: { args: ['ptr', 'ptr'], returns: 'int' },
	unlink: { args: ['ptr'], returns: 'int' },
	statx: { args: ['int', 'ptr', 'int', 'u32', 'ptr'], returns: 'int' },
	flock: { args: ['int', 'int'], returns: 'int' },
	poll: { args: ['ptr', 'u64', 'int'], returns: 'int' },
	socket: { args: ['int', 'int', 'int'], returns: 'int' },
	connect: { args: ['int', 'ptr', 'u32'], returns: 'int' },
	setsockopt: { args: ['int', 'int', 'int', 'ptr', 'u32'], returns: 'int' },
	getsockopt: { args: ['int', 'int', 'int', 'ptr', 'ptr'], returns: 'int' },
	setns: { args: ['int', 'int'], returns: 'int' },
	alarm: { args: ['u32'], returns: 'u32' },
	__errno_location: { args: [], returns: 'ptr' },
});

export const { open, close, read, write, pread, pwrite, link, unlink, statx } = symbols;
export const { flock, poll, socket, connect, setsockopt, getsockopt, setns, alarm } = symbols;

/** The error number that the last failed call left, `include/uapi/asm-generic/errno-base.h`. */
export function errno(): number {
	return peek.i32(symbols.__errno_location(), 0);
}
