// Files by system calls of our own: to load node:fs takes a tenth of an ADD. What is rare goes through it all the same.

import type fs from 'node:fs';
import { close, errno, link, open, pread, pwrite, read, statx, unlink, write } from '#libc';
import { SystemCallError } from './errno.ts';

// include/uapi/asm-generic/fcntl.h, arch/arm64/include/uapi/asm/fcntl.h
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NONBLOCK = 0o4000;
export const O_NOFOLLOW = process.arch === 'arm64' ? 0o100000 : 0o400000;
const O_CLOEXEC = 0o2000000;

// include/uapi/linux/fcntl.h, include/uapi/linux/stat.h
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;
const STATX_SIZE = 256;
const S_IFMT = 0o170000;

const KINDS: Readonly<Record<number, FileStatus['kind']>> = {
	0o100000: 'file',
	0o040000: 'directory',
	0o120000: 'symbolic link',
};

// include/uapi/asm-generic/errno-base.h
const ENOENT = 2;
const EINTR = 4;
const EINVAL = 22;

/** What a file is, struct statx. */
export interface FileStatus {
	readonly kind: 'file' | 'directory' | 'symbolic link' | 'device, pipe or socket';
	/** As `stat -c %d` prints it. */
	readonly device: number;
	readonly inode: number;
	/** The number of its names. */
	readonly links: number;
	/** The user whose it is. */
	readonly owner: number;
	/** Who may do what, the lowest 12 bits of st_mode. */
	readonly mode: number;
	/** In bytes. */
	readonly size: number;
}

// Not into a Buffer, here and on all of the way of the IPAM plugin: its first use in a process takes 0.1 ms.
//
// The functions below loop, each for itself, only to be called again after a signal: a function that all of them shared
// would be called so often in an ADD that the compiler is started for it.

/** Opens a file, which is closed in programs that this one starts. Gives its descriptor. All of these throw SystemCallError. */
export function openFile(path: string, flags: number, mode = 0): number {
	const bytes = pathBytes(path);
	for (;;) {
		const descriptor = open(bytes, flags | O_CLOEXEC, mode);
		if (descriptor !== -1) return descriptor;
		refuse('opening', path);
	}
}

export function closeFile(descriptor: number): void {
	// Linux closes it even when it says EINTR, so there is nothing to repeat.
	close(descriptor);
}

/** Fills the beginning of a buffer from where the descriptor stands; gives the number of bytes, 0 at the end. */
export function readNext(descriptor: number, buffer: Uint8Array): number {
	for (;;) {
		const length = read(descriptor, buffer, BigInt(buffer.length));
		if (length !== -1) return length;
		refuse('reading', descriptor);
	}
}

/** Writes the beginning of some bytes to where the descriptor stands; gives the number of bytes. */
export function writeNext(descriptor: number, bytes: Uint8Array): number {
	for (;;) {
		const length = write(descriptor, bytes, BigInt(bytes.length));
		if (length !== -1) return length;
		refuse('writing', descriptor);
	}
}

/** As {@link readNext}, from a position of the file. */
export function readAt(descriptor: number, buffer: Uint8Array, position: number): number {
	for (;;) {
		const length = pread(descriptor, buffer, BigInt(buffer.length), BigInt(position));
		if (length !== -1) return length;
		refuse('reading', descriptor);
	}
}

/** As {@link writeNext}, to a position of the file. */
export function writeAt(descriptor: number, bytes: Uint8Array, position: number): number {
	for (;;) {
		const length = pwrite(descriptor, bytes, BigInt(bytes.length), BigInt(position));
		if (length !== -1) return length;
		refuse('writing', descriptor);
	}
}

/** Gives a file another name, `EEXIST` when that is taken. */
export function linkFile(existing: string, path: string): void {
	if (link(pathBytes(existing), pathBytes(path)) === -1) refuse('linking', path);
}

/** Removes a name of a file. */
export function unlinkFile(path: string): void {
	if (unlink(pathBytes(path)) === -1) refuse('removing', path);
}

/** What an open file is, or what is at a path: undefined when nothing is. A symbolic link is followed only with `follow`. */
export function statusOf(file: number): FileStatus;
export function statusOf(file: string, options?: { readonly follow?: boolean }): FileStatus | undefined;
export function statusOf(
	file: string | number,
	{ follow = false }: { readonly follow?: boolean } = {},
): FileStatus | undefined {
	const path = pathBytes(typeof file === 'number' ? '' : file);
	const [directory, flags] =
		typeof file === 'number' ? [file, AT_EMPTY_PATH] : [AT_FDCWD, follow ? 0 : AT_SYMLINK_NOFOLLOW];
	const buffer = new Uint8Array(STATX_SIZE);
	if (statx(directory, path, flags, STATX_BASIC_STATS, buffer) === 0) return decodeStatus(buffer);
	if (typeof file === 'string' && errno() === ENOENT) return undefined;
	throw failure('looking at', file, errno());
}

function decodeStatus(buffer: Uint8Array): FileStatus {
	const view = new DataView(buffer.buffer);
	const [major, minor] = [view.getUint32(136, true), view.getUint32(140, true)];
	const mode = view.getUint16(28, true);
	return {
		kind: KINDS[mode & S_IFMT] ?? 'device, pipe or socket',
		// makedev(3), for numbers below 2^12 and 2^20, which are all that Linux has.
		device: (minor & 0xff) + (major & 0xfff) * 0x100 + (minor >>> 8) * 0x100000,
		inode: view.getUint32(32, true) + view.getUint32(36, true) * 2 ** 32,
		links: view.getUint32(16, true),
		owner: view.getUint32(20, true),
		mode: mode & ~S_IFMT,
		size: view.getUint32(40, true) + view.getUint32(44, true) * 2 ** 32,
	};
}

/** The whole text of a file, which may be one of /proc. */
export function readText(path: string): string {
	const descriptor = openFile(path, O_RDONLY);
	try {
		const decoder = new TextDecoder();
		const chunk = new Uint8Array(4096);
		let text = '';
		for (;;) {
			const length = readNext(descriptor, chunk);
			if (length === 0) return text + decoder.decode();
			text += decoder.decode(chunk.subarray(0, length), { stream: true });
		}
	} finally {
		closeFile(descriptor);
	}
}

/** Makes a directory for root alone; with `recursive`, those above it, too, and it may be there. Throws what node:fs throws. */
export function makeDirectory(path: string, options: { readonly recursive: boolean }): void {
	fileSystem().mkdirSync(path, { mode: 0o700, ...options });
}

/** Leaves a directory to its owner alone, and follows no symbolic link. Throws what node:fs throws. */
export function makePrivate(path: string): void {
	const { openSync, fchmodSync, closeSync, constants } = fileSystem();
	const descriptor = openSync(path, constants.O_DIRECTORY | constants.O_NOFOLLOW);
	try {
		fchmodSync(descriptor, 0o700);
	} finally {
		closeSync(descriptor);
	}
}

/** The names in a directory. Throws what node:fs throws. */
export function listDirectory(path: string): string[] {
	return fileSystem().readdirSync(path);
}

const encoder = new TextEncoder();

function fileSystem(): typeof fs {
	return process.getBuiltinModule('node:fs');
}

function pathBytes(path: string): Uint8Array {
	if (path.includes('\0')) throw new SystemCallError(`opening "${path.replaceAll('\0', '?')}"`, EINVAL);
	return encoder.encode(`${path}\0`);
}

/** Throws the error that the last call left, unless a signal came between. link, unlink and statx know no such error. */
function refuse(operation: string, file: string | number): void {
	const error = errno();
	if (error !== EINTR) throw failure(operation, file, error);
}

function failure(operation: string, file: string | number, error: number): SystemCallError {
	return new SystemCallError(`${operation} ${typeof file === 'number' ? `descriptor ${file}` : `"${file}"`}`, error);
}
