// The system calls that node:fs cannot make, in the Node edition.

import { dlopen, getInt32 } from 'node:ffi';

const { functions } = dlopen('libc.so.6', {
	socket: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
	setsockopt: { arguments: ['i32', 'i32', 'i32', 'buffer', 'u32'], return: 'i32' },
	setns: { arguments: ['i32', 'i32'], return: 'i32' },
	flock: { arguments: ['i32', 'i32'], return: 'i32' },
	poll: { arguments: ['buffer', 'u64', 'i32'], return: 'i32' },
	alarm: { arguments: ['u32'], return: 'u32' },
	__errno_location: { arguments: [], return: 'pointer' },
});

export const { socket, setsockopt, setns, flock, poll, alarm } = functions;

/** The error number that the last failed call left, `include/uapi/asm-generic/errno-base.h`. */
export function errno(): number {
	return getInt32(functions.__errno_location(), 0);
}
