// The system calls of an ADD, in the Node edition.

import { dlopen, getInt32 } from 'node:ffi';

const { functions } = dlopen('libc.so.6', {
	open: { arguments: ['buffer', 'i32', 'u32'], return: 'i32' },
	close: { arguments: ['i32'], return: 'i32' },
	read: { arguments: ['i32', 'buffer', 'u64'], return: 'i32' },
	write: { arguments: ['i32', 'buffer', 'u64'], return: 'i32' },
	pread: { arguments: ['i32', 'buffer', 'u64', 'i64'], return: 'i32' },
	pwrite: { arguments: ['i32', 'buffer', 'u64', 'i64'], return: 'i32' },
	link: { arguments: ['buffer', 'buffer'], return: 'i32' },
	unlink: { arguments: ['buffer'], return: 'i32' },
	statx: { arguments: ['i32', 'buffer', 'i32', 'u32', 'buffer'], return: 'i32' },
	flock: { arguments: ['i32', 'i32'], return: 'i32' },
	poll: { arguments: ['buffer', 'u64', 'i32'], return: 'i32' },
	socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
	connect: { arguments: ['i32', 'buffer', 'u32'], return: 'i32' },
	setsockopt: { arguments: ['i32', 'i32', 'i32', 'buffer', 'u32'], return: 'i32' },
	getsockopt: { arguments: ['i32', 'i32', 'i32', 'buffer', 'buffer'], return: 'i32' },
	setns: { arguments: ['i32', 'i32'], return: 'i32' },
	alarm: { arguments: ['u32'], return: 'u32' },
	__errno_location: { arguments: [], return: 'pointer' },
});

export const { open, close, read, write, pread, pwrite, link, unlink, statx } = functions;
export const { flock, poll, socket, connect, setsockopt, getsockopt, setns, alarm } = functions;

/** The error number that the last failed call left, `include/uapi/asm-generic/errno-base.h`. */
export function errno(): number {
	return getInt32(functions.__errno_location(), 0);
}
