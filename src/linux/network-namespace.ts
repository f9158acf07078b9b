// Network namespaces: opened by path, entered for the length of a call. setns(2), network_namespaces(7)

import { errno, setns } from '#libc';
import { errnoName } from './errno.ts';
import { closeFile, O_RDONLY, openFile, statusOf } from './files.ts';
import { note } from './standard-error.ts';

/** include/uapi/linux/sched.h */
const CLONE_NEWNET = 0x40000000;

/** The namespace of the calling thread, which is the one that setns moves. */
const OWN_NAMESPACE = '/proc/thread-self/ns/net';

/** A path that leads to no network namespace. `code` is the system's (`ENOENT`) or `ENOTNS`. */
export class NamespaceError extends Error {
	override readonly name = 'NamespaceError';
	/** CNI's "invalid network namespace". */
	readonly cniCode = 8;
	readonly code: string;

	constructor(path: string, code: string, reason: string) {
		super(`opening network namespace "${path}": ${reason}`);
		this.code = code;
	}
}

export interface NetworkNamespace {
	readonly path: string;
	readonly descriptor: number;
	/**
	 * Calls in this namespace and comes back. Only the main thread moves, so what is called must be synchronous. A way
	 * back that is barred ends the process: to go on in the wrong namespace would be worse. Throws NamespaceError `ENOTNS`.
	 */
	run<T>(call: () => T): T;
	close(): void;
}

/** Opens the namespace at a path. Throws NamespaceError; that the path is another kind of file shows when it is entered. */
export function openNetworkNamespace(path: string): NetworkNamespace {
	const descriptor = open(path);
	const own = openFile(OWN_NAMESPACE, O_RDONLY);
	const namespace: NetworkNamespace = {
		path,
		descriptor,
		run(call) {
			enter(descriptor, path);
			try {
				return call();
			} finally {
				if (setns(own, CLONE_NEWNET) === -1) {
					note(`returning from network namespace "${path}": ${errnoName(errno())}`);
					process.exit(1);
				}
			}
		},
		close() {
			closeFile(descriptor);
			closeFile(own);
		},
	};
	return namespace;
}

/** Whether a path leads to the namespace in which this process runs. */
export function isOwnNamespace(namespace: NetworkNamespace): boolean {
	const own = statusOf(OWN_NAMESPACE, { follow: true });
	const other = statusOf(namespace.descriptor);
	return own?.inode === other.inode && own.device === other.device;
}

function open(path: string): number {
	try {
		return openFile(path, O_RDONLY);
	} catch (error) {
		const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO';
		const reason = code === 'ENOENT' ? 'no such file (ENOENT); the container may be gone' : code;
		throw new NamespaceError(path, code, reason);
	}
}

function enter(descriptor: number, path: string): void {
	if (setns(descriptor, CLONE_NEWNET) === 0) return;
	const code = errnoName(errno());
	if (code === 'EINVAL') throw new NamespaceError(path, 'ENOTNS', 'the file is not a network namespace');
	throw new NamespaceError(path, code, code === 'EPERM' ? 'not permitted (EPERM); root is needed' : code);
}

/** What the path of a namespace leads to: by device and inode it is told from one that comes later to the same path. */
export function namespaceIdentity(path: string): { readonly device: number; readonly inode: number } | undefined {
	try {
		const found = path === '' ? undefined : statusOf(path, { follow: true });
		return found && { device: found.device, inode: found.inode };
	} catch {
		return undefined;
	}
}
